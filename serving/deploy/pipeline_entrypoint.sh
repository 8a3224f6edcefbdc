#!/bin/sh
# Arguments are sluiceway's; a program given by name or path is run as it is, for runners that leave an image's entry point in place.
case "${1:-}" in
  python | python3 | sh | bash | sluiceway | tensorflow_model_server | /*) exec "$@" ;;
  *) exec sluiceway "$@" ;;
esac
