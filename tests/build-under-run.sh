#!/usr/bin/env bash
# Trains from this checkout's output while everything is rebuilt twice. The run must end well, and with the same weights as
# an undisturbed one. Takes some minutes; run by hand: tests/build-under-run.sh
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
siamorph=artifacts/bin/Siamorph.Cli/release/Siamorph.Cli

build() { dotnet build -c Release -v q -nologo "$@" >"$work/build.log" 2>&1 || { tail -n 20 "$work/build.log"; exit 1; }; }
hashes() { (cd "$1" && find checkpoints -name '*.safetensors' -exec sha256sum {} + | sort); }
train() { "$siamorph" train "$work/data" --out "$1" --base-steps 60 --siamese-steps 60 --preview-count 0 --threads 1 --seed 3; }

build
"$siamorph" data phantom "$work/data" --count 16 --size 64x64
train "$work/alone" >"$work/alone.log" 2>&1
train "$work/disturbed" >"$work/disturbed.log" 2>&1 &
run=$!
sleep 3
for round in 1 2; do
  kill -0 $run 2>/dev/null || { echo "The run ended before build $round: give it more steps."; exit 1; }
  build "-p:InformationalVersion=rebuilt-$round"
done
wait $run || { echo "The run died:"; tail -n 5 "$work/disturbed.log"; exit 1; }
build
diff <(hashes "$work/alone") <(hashes "$work/disturbed") && echo "The run survived two builds; its weights are those of an undisturbed run."
