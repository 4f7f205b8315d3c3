#!/bin/sh
# The nightly run. It stops at the first command that fails, with its exit code; the models that were promoted before
# go on serving then. It may be killed at any moment: nothing half-written is ever visible.
set -eu
pozytywka validate
pozytywka transform
pozytywka train
pozytywka predict # also prepares the promoted versions for the service
