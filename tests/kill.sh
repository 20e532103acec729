#!/usr/bin/env bash
# Kills `train`, `synthesize`, `segment train` and `experiment` with signal 9 at random moments, lets them go on until they end
# well, and compares everything that they leave with an undisturbed run. A line a trial; goes on where it was stopped.
#
#   tests/kill.sh SIAMORPH WORK VERB TRIALS [SEED]      VERB: train, synthesize, segment, experiment
#
# SIAMORPH is a published executable, outside of this checkout: a build would disturb what is measured. For 1,000 trials:
#   dotnet publish src/Siamorph.Cli -c Release -o /tmp/siamorph
#   for v in train synthesize segment experiment; do tests/kill.sh /tmp/siamorph/siamorph /tmp/kill $v 250; done
set -uo pipefail
[[ $# -ge 4 ]] || { sed -n '2,9p' "$0"; exit 2; }
siamorph=$1 work=$2 verb=$3 trials=$4
RANDOM=${5:-1}
export OMP_NUM_THREADS=1
mkdir -p "$work" && cd "$work" || exit 2
results="$work/$verb.txt"

small=(--image-size 32 --base-batch-size 2 --siamese-batch-size 2)
if [[ ! -d data ]]; then
  "$siamorph" data phantom data.new --count 16 --size 32x32 --seed 4 >/dev/null 2>&1 &&
    "$siamorph" data split data.new --train 0.5 --val 0.25 --test 0.25 >/dev/null 2>&1 && mv data.new data || exit 1
fi
if [[ ! -d model && $verb == synthesize ]]; then
  "$siamorph" train data --out model.new "${small[@]}" --base-steps 2 --siamese-steps 2 --preview-count 0 --threads 1 >/dev/null 2>&1 && mv model.new model || exit 1
fi

command_for() { # folder
  local out=$1 resume=()
  case $verb in
    train)
      [[ -f $out/options.json ]] && resume=(--resume) || resume=("${small[@]}" --base-steps 4 --siamese-steps 4 --checkpoint-every 1 --preview-every 3 --preview-count 2)
      command=("$siamorph" train data --out "$out" "${resume[@]}") ;;
    synthesize) command=("$siamorph" synthesize model --masks data --split train --out "$out" --images-per-mask 2 --batch-size 3 --steps 2) ;;
    segment)
      [[ -f $out/log.jsonl ]] && resume=(--resume)
      command=("$siamorph" segment train data --out "$out" --network-width 4 --image-size 32x32 --batch-size 2 --steps 8 --validate-every 2 --checkpoint-every 1 "${resume[@]}") ;;
    experiment)
      command=("$siamorph" experiment data --out "$out" --jobs 1 --real-counts 4 --seeds 1 --arms real,real+synthetic --generator-image-size 32 --generator-base-steps 2
        --generator-siamese-steps 2 --generator-base-batch-size 2 --generator-siamese-batch-size 2 --generator-preview-count 0 --generator-checkpoint-every 1 --synthesis-steps 2
        --segmentation-network-width 4 --segmentation-image-size 32x32 --segmentation-steps 4 --segmentation-validate-every 2 --segmentation-batch-size 2 --bootstrap-draws 100) ;;
    *) echo "unknown verb $verb"; exit 2 ;;
  esac
  command+=(--threads 1)
}

# What must be equal: every file but logs of time, events, locks and machines; times within files are taken out.
digest() { # folder
  (cd "$1" && find . -type f ! -name .lock ! -path '*/tensorboard/*' ! -name 'times.json' ! -name 'speeds.json' ! -name 'environment.json' ! -name 'report.*' ! -name 'manifest.json' | LC_ALL=C sort |
    while read -r f; do
      case $f in
        *.json | *.jsonl) printf '%s %s\n' "$f" "$(sed -E 's/"(time|seconds|secondsPer[A-Za-z]*|stepSeconds)": ?[-0-9.eE+"T:Z]+,?//g; s/"(finished|code)": ?"[^"]*",?//g; s/"resumed": ?(true|false),?//g; s#'"$work"'[^"]*##g' "$f" | sha256sum)" ;;
        *) printf '%s %s\n' "$f" "$(sha256sum <"$f")" ;;
      esac
    done)
}

now() { date +%s.%N; }
if [[ ! -f reference-$verb.digest ]]; then
  rm -rf "reference-$verb"
  command_for "reference-$verb"
  begun=$(now)
  "${command[@]}" >"reference-$verb.log" 2>&1 || { tail -n 3 "reference-$verb.log"; exit 1; }
  echo "$(now) $begun" | awk '{ print $1 - $2 }' >"reference-$verb.seconds"
  digest "reference-$verb" >"reference-$verb.digest"
fi
whole=$(cat "reference-$verb.seconds")

touch "$results"
done_before=$(wc -l <"$results")
for ((i = 0; i < done_before * 3; i++)); do : $RANDOM; done
for ((trial = done_before + 1; trial <= trials; trial++)); do
  out="trial-$verb-$trial" kills=$((1 + RANDOM % 2)) moments='' verdict=equal
  rm -rf "$out"
  for ((k = 0; k < kills; k++)); do
    moment=$(awk -v w="$whole" -v r=$RANDOM 'BEGIN { printf "%.3f", w * r / 32768 }')
    moments+=" $moment"
    command_for "$out"
    "${command[@]}" >"$out.log" 2>&1 &
    pid=$!
    sleep "$moment"
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
  done
  command_for "$out"
  if ! "${command[@]}" >"$out.log" 2>&1; then verdict="refused: $(tail -n 1 "$out.log")"
  elif ! digest "$out" | diff -q - "reference-$verb.digest" >/dev/null; then verdict="differs: $(digest "$out" | diff - "reference-$verb.digest" | grep '^[<>]' | awk '{ print $2 }' | sort -u | head -n 3 | tr '\n' ' ')"
  elif find "$out" -name '*.partial' | grep -q .; then verdict="left behind: $(find "$out" -name '*.partial' | head -n 1)"
  fi
  echo "$trial killed at$moments of $whole s: $verdict" >>"$results"
  if [[ $verdict == equal ]]; then rm -rf "$out" "$out.log"; fi
done
echo "$verb: $(grep -c ': equal$' "$results") of $(wc -l <"$results") equal"
grep -v ': equal$' "$results" | head -n 20
