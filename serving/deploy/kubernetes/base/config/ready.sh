#!/bin/bash
# Is the model server of this container ready? TF Serving's status is 200 even when every version failed, so the states are read. Its image
# has neither curl nor Python; bash opens the connection by itself.
#
#   ready.sh all     every model of the list has a version that is AVAILABLE, and none on its way up: a new server, before it gets traffic
#   ready.sh any     some model has: a server that has traffic keeps it while one model is broken everywhere
#   ready.sh states  what the server says of each model: its name, a tab, its answer in one line
#
# SERVED (the list of models) and REST_PORT say where to look.
mode=${1:-all} served=${SERVED:-/etc/model-server/models.config} port=${REST_PORT:-8501}

names=()
while IFS= read -r line || [[ -n $line ]]; do
  if [[ $line =~ ^[[:space:]]*name:[[:space:]]*\"([^\"]+)\" ]]; then names+=("${BASH_REMATCH[1]}"); fi
done <"$served" || exit 1

# ask PATH: the answer's body, in one line.
ask() {
  local answer
  { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || return 1
  printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$1" >&3
  IFS= read -r -d '' -t 4 -u 3 answer
  exec 3>&-
  answer=${answer#*$'\r\n\r\n'}
  printf '%s' "${answer//[$'\r\n']/ }"
}

((${#names[@]})) || ask /v1/models/none >/dev/null || { echo "nothing answers on port $port" >&2; exit 1; }
available=0 missing=() loading=()
for name in "${names[@]}"; do
  said=$(ask "/v1/models/$name") || { echo "nothing answers on port $port" >&2; exit 1; }
  if [[ $mode == states ]]; then printf '%s\t%s\n' "$name" "$said"; fi
  if [[ $said =~ \"state\":[[:space:]]*\"AVAILABLE\" ]]; then available=$((available + 1)); else missing+=("$name"); fi
  if [[ $said =~ \"state\":[[:space:]]*\"(START|LOADING)\" ]]; then loading+=("$name"); fi
done

case $mode in
  states) exit 0 ;;
  any) ((available > 0 || ${#names[@]} == 0)) && exit 0 ;;
  all)
    ((${#missing[@]} + ${#loading[@]} == 0)) && exit 0
    if ((${#missing[@]} == 0)); then echo "a version is on its way up of: ${loading[*]}" >&2; exit 1; fi
    ;;
  *) echo "usage: ready.sh all|any|states" >&2; exit 2 ;;
esac
echo "no version is AVAILABLE of: ${missing[*]}" >&2
exit 1
