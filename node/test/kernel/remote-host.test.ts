// Hosts and networks from multiaddrs.
import { expect, it } from 'vitest'
import { remoteHostOf } from '../../src/kernel/remote-host.ts'

it.each([
  ['/ip4/203.0.113.7/tcp/4001', '203.0.113.7', '203.0.113', false],
  ['/ip4/127.0.3.9/tcp/1', '127.0.3.9', '127.0.3', false],
  ['/ip4/127.0.0.1/tcp/1/ws', '127.0.0.1', '127.0.0', true],
  ['/ip6/2001:db8:1:2:3:4:5:6/tcp/1', '2001:db8:1:2', '2001:db8:1', false],
  ['/ip6/2001:db8::6/tcp/1', '2001:db8:0:0', '2001:db8:0', false],
  ['/ip6/::1/tcp/1', '0:0:0:0', '0:0:0', true],
  ['/ip6/::ffff:203.0.113.7/tcp/1', '203.0.113.7', '203.0.113', false],
  ['/ip6/::ffff:7f00:1/tcp/1', '127.0.0.1', '127.0.0', true],
  ['/unix/tmp/socket', 'other', 'other', false],
  ['', 'other', 'other', false]
])('%s comes from host %s of network %s', (address, host, network, isOwnMachine) => {
  expect(remoteHostOf(address)).toEqual({ host, network, isOwnMachine })
})
