#!/bin/sh
# What a change does to traffic: which requests go another way than at a revision, and what becomes of those of access logs.
#   sh preview.sh <app> [revision, else origin/main] [access log...]
# Ends with 0; with 3 where requests are lost or go another way for a team that changed nothing, and approved.yaml does not have it; with 2
# where something can't be read.
set -u
app=$1
base=${2:-origin/main}
shift "$(($# < 2 ? $# : 2))"

gatewright diff "$base:./$app" "$app" --refuse lost,cross-team --approve approved.yaml
verdict=$?
[ "$verdict" -gt 1 ] && [ "$verdict" -ne 3 ] && exit "$verdict"

if [ "$#" -gt 0 ]; then
  echo
  gatewright replay "$@" --from "$base:./$app" --against "$app"
  [ "$?" -gt 1 ] && exit 2
fi

# All else was meant, or is for the reviewer to see.
[ "$verdict" -eq 3 ] && exit 3
exit 0
