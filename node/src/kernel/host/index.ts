// What the kernel needs from a machine with files and sockets; Node only.
export * from '../failpoint.node.ts'
export * from '../libp2p.ts'
export * from '../primitives.node.ts'
export * from '../store/level.node.ts'
