// A messenger on a machine with files: home folder, key file, store; Node only.
export {}
