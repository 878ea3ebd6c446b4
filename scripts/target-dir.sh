#!/usr/bin/env bash
# Prints the folder that cargo builds into, wherever the environment or a configuration file has put it.
set -euo pipefail
cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p'
