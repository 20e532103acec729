#!/usr/bin/env bash
# Runs a quick experiment of 24 stages through a Slurm of one machine: undisturbed; with a requeue, a time limit, a killed stage and a
# leader that goes away; and with a stage that can't succeed. results.json must be that of a run without Slurm. About six minutes.
#
#   tests/slurm.sh SIAMORPH WORK        SIAMORPH is a built or published executable
#
# Needs root, and Debian's slurm-wlm and munge. The daemons are started for the test, with ports of their own, and stopped after it.
set -uo pipefail
[[ $# -eq 2 ]] || { sed -n '2,8p' "$0"; exit 2; }
siamorph=$(realpath "$1") work=$2
rm -rf "$work" && mkdir -p "$work/slurm/state" "$work/slurm/spool" && cd "$work" || exit 2
export SLURM_CONF=$PWD/slurm/slurm.conf OMP_NUM_THREADS=1
failed=0
check() { if "${@:2}"; then echo "passed: $1"; else echo "FAILED: $1"; failed=1; fi; }

cat >"$SLURM_CONF" <<END
ClusterName=siamorph-test
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CryptoType=crypto/munge
# No cgroups, no accounting: what a container allows.
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
StateSaveLocation=$PWD/slurm/state
SlurmdSpoolDir=$PWD/slurm/spool
SlurmctldLogFile=$PWD/slurm/ctld.log
SlurmdLogFile=$PWD/slurm/d.log
SlurmctldPidFile=$PWD/slurm/ctld.pid
SlurmdPidFile=$PWD/slurm/d.pid
SchedulerParameters=sched_interval=1,batch_sched_delay=1
KillWait=30
NodeName=$(hostname -s) NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=2000 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
mkdir -p /run/munge && chown munge: /run/munge
munge -n >/dev/null 2>&1 || runuser -u munge -- munged || exit 2
stop() { kill "$(cat slurm/d.pid)" "$(cat slurm/ctld.pid)" 2>/dev/null; }
trap stop EXIT
slurmctld -c && slurmd -c || exit 2
for _ in {1..30}; do [[ $(sinfo -h -o %t 2>/dev/null) == idle ]] && break; sleep 1; done
check "Slurm is up" test "$(sinfo -h -o %t)" = idle

"$siamorph" data phantom data --count 24 --size 32x32 --seed 4 >/dev/null 2>&1 && "$siamorph" data split data --train 0.5 --val 0.25 --test 0.25 >/dev/null 2>&1 || exit 2
# 4 generators, 4 synthetic sets, 16 networks.
small=(data --real-counts 4,8 --seeds 1,2 --seed-scope everything --arms real,real+synthetic,synthetic-only,wrong-masks --threads 1
  --generator-image-size 32 --generator-base-steps 12 --generator-siamese-steps 12 --generator-base-batch-size 2 --generator-siamese-batch-size 2
  --generator-preview-count 0 --generator-checkpoint-every 4 --synthesis-steps 2 --segmentation-network-width 4 --segmentation-image-size 32x32
  --segmentation-steps 8 --segmentation-validate-every 4 --segmentation-batch-size 2 --bootstrap-draws 100)
slurm=(--executor slurm --slurm-options "--cpus-per-task=1 --mem=0")
same() { cmp "$1/results.json" "$2/results.json"; }
job_of() { jq -r --arg s "$2" '.[$s]' "$1/slurm/jobs.json"; }
nth() { jq -r --arg k "$2" "map(select(.kind == \$k))[$3].stage" "$1/plan.json"; } # of a kind
await() { for _ in {1..1500}; do "$@" && return 0; sleep 0.2; done; return 1; }

SECONDS=0
"$siamorph" experiment "${small[@]}" --out local --jobs 1 >local.log 2>&1 || exit 2
echo "$(jq length local/plan.json) stages; without Slurm $SECONDS s"

SECONDS=0
"$siamorph" experiment "${small[@]}" --out whole "${slurm[@]}" >whole.log 2>&1
check "undisturbed, in $SECONDS s" same local whole

# A leader that goes away, a stage that is queued again while it runs, one that is killed; then the same command.
"$siamorph" experiment "${small[@]}" --out rough "${slurm[@]}" >rough.1.log 2>&1 &
leader=$!
await test -f rough/slurm/results.sh
await test -f rough/slurm/jobs.json
generator=$(nth rough generator 0) other=$(nth rough generator 1)
await test -d "rough/stages/$generator/run/checkpoints"
check "a running stage is queued again" scontrol requeue "$(job_of rough "$generator")"
await test -d "rough/stages/$other/run/checkpoints"
scancel --batch --signal=TERM "$(job_of rough "$other")" # what --signal=B:TERM@120 does; may complain of a job that changes meanwhile
kill -TERM "$leader"; wait "$leader"
check "the leader goes away with 130" test $? = 130
check "its jobs stay" test -n "$(squeue -h --name=siamorph-rough)"
"$siamorph" experiment "${small[@]}" --out rough "${slurm[@]}" >rough.2.log 2>&1 &
leader=$!
await grep -q "with Slurm already" rough.2.log
check "the next leader finds them" grep "with Slurm already" rough.2.log
victim() { pgrep -f "experiment stage $PWD/rough segment-" | head -n 1 | grep .; }
check "a stage is killed" kill -KILL "$(await victim)"
wait "$leader"
check "which ends in exit code 2" test $? = 2
grep "siamorph:" rough.2.log
"$siamorph" experiment "${small[@]}" --out rough "${slurm[@]}" >rough.3.log 2>&1
check "with a requeue, a lost leader and a killed stage" same local rough
check "the stage out of time was queued again by its own script" grep -q "queued again" "rough/slurm/$(job_of rough "$other").log"
check "the requeued stage was gone on with" grep -q '"resumed": true' "rough/stages/$generator/done.json"

# A stage that can't succeed: its dependents are cancelled, the others are done.
"$siamorph" experiment plan "${small[@]}" --out broken >/dev/null 2>&1
generator=$(nth broken generator 0)
mkdir -p "broken/stages/$generator" && touch "broken/stages/$generator/run" # a file where a folder has to be
"$siamorph" experiment "${small[@]}" --out broken "${slurm[@]}" >broken.log 2>&1
check "a failed stage ends with exit code 2" test $? = 2
grep "siamorph:" broken.log
check "its dependents are cancelled and that is said" grep -q "were cancelled" broken.log
check "nothing is left in the queue" test -z "$(squeue -h --name=siamorph-broken)"
rm "broken/stages/$generator/run"
"$siamorph" experiment "${small[@]}" --out broken "${slurm[@]}" >broken.2.log 2>&1
check "mended, the same command ends as without Slurm" same local broken
exit "$failed"
