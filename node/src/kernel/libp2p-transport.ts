// Transports that write each message at once. libp2p's connections over TCP and WebSockets hand every part of a
// message (length, header, body, tag) to the socket by itself, and each costs a system call on both sides: more
// than the encryption. Joined they are one.
import type { MultiaddrConnection, Transport, Upgrader } from '@libp2p/interface'
import { AbstractMultiaddrConnection } from '@libp2p/utils'
import { Uint8ArrayList } from 'uint8arraylist'

type TransportFactory<Components> = (components: Components) => Transport

/** The same transport, whose connections write each message in one piece. */
export function joiningWrites<Components>(
  create: TransportFactory<Components>
): TransportFactory<Components> {
  return (components) => {
    const transport = create(components)
    const { dial, createListener } = transport
    transport.dial = (address, options) =>
      dial.call(transport, address, { ...options, upgrader: joiningUpgrader(options.upgrader) })
    transport.createListener = (options) =>
      createListener.call(transport, { ...options, upgrader: joiningUpgrader(options.upgrader) })
    return transport
  }
}

/** The upgrader is the one place that every raw connection of a transport passes. */
function joiningUpgrader(upgrader: Upgrader): Upgrader {
  const joining: Upgrader = Object.create(upgrader)
  joining.upgradeInbound = (connection, options) =>
    upgrader.upgradeInbound(joinWrites(connection), options)
  joining.upgradeOutbound = ((connection, options) =>
    upgrader.upgradeOutbound(joinWrites(connection), options)) as Upgrader['upgradeOutbound']
  return joining
}

function joinWrites(connection: MultiaddrConnection): MultiaddrConnection {
  if (connection instanceof AbstractMultiaddrConnection) {
    const sendData = connection.sendData.bind(connection)
    connection.sendData = (parts) => sendData(new Uint8ArrayList(parts.subarray()))
  }
  return connection
}
