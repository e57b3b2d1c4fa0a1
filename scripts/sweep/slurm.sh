#!/bin/sh
# A Slurm of two nodes on this machine alone, to try sweeps on: munge, slurmctld and two slurmd, all on the loopback.
#   sh scripts/sweep/slurm.sh up DIR      starts it; everything that it makes is in DIR
#   sh scripts/sweep/slurm.sh down DIR    ends the processes that "up" started
# Needs Debian's slurm-wlm and munge, and root (slurmd starts jobs as their users). While it is up, /etc/slurm/slurm.conf leads to DIR's.
set -eu

usage() { echo "usage: sh scripts/sweep/slurm.sh up|down DIR" >&2; exit 2; }
[ $# -eq 2 ] || usage
command=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd)

ended() { # name
  file="$dir/$1.pid"
  [ -s "$file" ] || return 0
  pid=$(cat "$file")
  kill "$pid" 2>/dev/null || true
  for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" 2>/dev/null || break; sleep 0.5; done
  kill -9 "$pid" 2>/dev/null || true
  rm -f "$file"
}

conf=/etc/slurm/slurm.conf

down() {
  for name in slurmd-node1 slurmd-node2 slurmctld munged; do ended $name; done
  [ "$(readlink $conf)" != "$dir/slurm.conf" ] || rm $conf
}

up() {
  for program in munged slurmctld slurmd; do
    command -v $program >/dev/null || PATH=$PATH:/usr/sbin command -v $program >/dev/null || {
      echo "$program is not installed: apt-get install slurm-wlm munge" >&2; exit 3; }
  done
  [ "$(id -u)" = 0 ] || { echo "slurmd needs root" >&2; exit 3; }
  [ ! -e $conf ] && [ ! -L $conf ] || { echo "$conf is there: this machine has a Slurm of its own, or a trial runs" >&2; exit 3; }
  PATH=$PATH:/usr/sbin
  host=$(hostname -s)
  port=${SLURM_PORT:-17320}
  memory=$(( $(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo) / 2048 ))
  chmod 755 "$dir"
  mkdir -p "$dir/state" "$dir/spool/node1" "$dir/spool/node2"
  [ -s "$dir/munge.key" ] || (umask 077; dd if=/dev/urandom of="$dir/munge.key" bs=1024 count=1 2>/dev/null)
  cat >"$dir/slurm.conf" <<EOF
ClusterName=trial
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=2
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
MinJobAge=300
KillWait=5
SlurmdTimeout=20
SlurmctldPort=$port
SlurmctldPidFile=$dir/slurmctld.pid
SlurmctldLogFile=$dir/slurmctld.log
StateSaveLocation=$dir/state
SlurmdPidFile=$dir/slurmd-%n.pid
SlurmdLogFile=$dir/slurmd-%n.log
SlurmdSpoolDir=$dir/spool/%n
SlurmdParameters=config_overrides
NodeName=node1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=1 RealMemory=$memory
NodeName=node2 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=1 RealMemory=$memory
PartitionName=trial Nodes=node1,node2 Default=YES MaxTime=INFINITE State=UP
EOF
  # not by SLURM_CONF: snakemake takes all of Slurm's variables away before a job's step begins
  mkdir -p /etc/slurm
  ln -s "$dir/slurm.conf" $conf
  munged --force --socket="$dir/munge.socket" --key-file="$dir/munge.key" --pid-file="$dir/munged.pid" \
    --log-file="$dir/munged.log" --seed-file="$dir/munged.seed"
  slurmctld -c
  slurmd -N node1
  slurmd -N node2
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ "$(sinfo -h -N -t idle -o %N 2>/dev/null | wc -l)" = 2 ] && { sinfo -N; return 0; }
    sleep 1
  done
  echo "Slurm did not start within 20 s" >&2
  sinfo -N -l >&2 || true
  tail -n 5 "$dir"/*.log >&2
  down
  exit 1
}

case $command in up) up ;; down) down ;; *) usage ;; esac
