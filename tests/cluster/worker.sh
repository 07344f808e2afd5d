#!/bin/bash
# A worker node, from the fabric to its own namespaces in three steps, each of which runs the next one inside what it
# made. When the first process ends, the kernel ends all others of the node, and its mounts go with the last one.
# From the environment: WORKER, ADDRESS, FOLDER, LOGS, CONTROL_GROUP, KUBECONFIG, PATH.
set -euo pipefail

# Version 2 of control groups has one hierarchy, version 1 has one for each controller.
unified() { [ "$GROUPS_VERSION" = 2 ]; }

# Control groups of the node's own, beneath those that the machine runs in, and its network. They are new each time: the
# groups that a node has used up to its end can't always be entered again.
join() {
  local group=$CONTROL_GROUP/$WORKER.$$
  export GROUPS_VERSION=1
  if [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]; then GROUPS_VERSION=2; fi
  if unified; then
    mkdir -p "/sys/fs/cgroup/$group"
    delegate /sys/fs/cgroup
    delegate "/sys/fs/cgroup/$CONTROL_GROUP"
    echo $$ >"/sys/fs/cgroup/$group/cgroup.procs"
  else
    # Read as a whole first: the file changes while this process moves.
    mapfile -t groups </proc/self/cgroup
    for line in "${groups[@]}"; do
      IFS=: read -r _ controllers path <<<"$line"
      hierarchy=/sys/fs/cgroup/${controllers#name=}
      [ -n "$controllers" ] && [ -d "$hierarchy" ] || continue
      parent=$hierarchy${path%/}
      for made in "$parent/$CONTROL_GROUP" "$parent/$group"; do
        mkdir -p "$made"
        # A new cpuset is empty, and nothing can run in it.
        if [ "$controllers" = cpuset ]; then
          for file in cpuset.cpus cpuset.mems; do cat "$parent/$file" >"$made/$file"; done
        fi
      done
      echo $$ >"$parent/$group/cgroup.procs"
    done
  fi
  exec nsenter --net="/run/netns/$WORKER" unshare --cgroup --mount --propagation private "$0" mounts
}

# Lets the groups beneath this one use every controller that it has.
delegate() {
  for controller in $(<"$1/cgroup.controllers"); do
    echo "+$controller" >"$1/cgroup.subtree_control" || true
  done
}

# The node sees its own network and control groups, with itself at their root.
mounts() {
  mount -t sysfs sysfs /sys
  if unified; then
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    # A group that has processes can't share out its controllers.
    mkdir /sys/fs/cgroup/system
    echo $$ >/sys/fs/cgroup/system/cgroup.procs
    delegate /sys/fs/cgroup
  else
    mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
    while IFS=: read -r _ controllers _; do
      [ -n "$controllers" ] || continue
      hierarchy=/sys/fs/cgroup/${controllers#name=}
      mkdir "$hierarchy"
      case $controllers in name=*) option=none,$controllers ;; *) option=$controllers ;; esac
      mount -t cgroup -o "$option" cgroup "$hierarchy"
    done </proc/self/cgroup
  fi
  exec unshare --pid --ipc --uts --fork --kill-child "$0" boot
}

# The first process of the node.
boot() {
  mount -t proc proc /proc
  mkdir -p "$FOLDER"/{lib,log}
  mount --bind "$FOLDER/lib" /var/lib
  mount --bind "$FOLDER/log" /var/log
  mount -t tmpfs -o mode=755 tmpfs /run
  mkdir /run/kernel
  # What the kubelet would set for the whole machine, it finds set.
  while read -r setting value; do
    shown=/run/kernel/${setting//\//.}
    echo "$value" >"$shown"
    mount --bind "$shown" "/proc/sys/$setting"
  done <<'SETTINGS'
vm/overcommit_memory 1
vm/panic_on_oom 0
kernel/panic 10
kernel/panic_on_oops 1
kernel/keys/root_maxkeys 1000000
kernel/keys/root_maxbytes 25000000
SETTINGS
  echo 1 >/proc/sys/net/ipv4/ip_forward
  # Pods of one node talk through its bridge, and their Services still have to apply.
  if [ -e /proc/sys/net/bridge ]; then echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables; fi
  hostname "$WORKER"
  mount --make-rshared /

  daemons=()
  start() { "$@" >>"$LOGS/$WORKER-$1.log" 2>&1 & daemons+=($!); }
  start containerd --config "$FOLDER/containerd.toml"
  until ctr --address "$FOLDER/containerd.sock" version >/dev/null 2>&1; do
    kill -0 "${daemons[0]}"
    sleep 0.1
  done
  while read -r archive; do
    ctr --address "$FOLDER/containerd.sock" --namespace k8s.io images import "$archive"
  done <"$FOLDER/images"
  start kubelet --config="$FOLDER/kubelet.json" --kubeconfig="$KUBECONFIG" --hostname-override="$WORKER" --node-ip="$ADDRESS"
  start kube-proxy --config="$FOLDER/kube-proxy.json"
  # The node is as good as all of its daemons.
  wait -n "${daemons[@]}" || true
  exit 1
}

"$1"
