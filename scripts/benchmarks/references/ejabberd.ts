// Reference: ejabberd, an XMPP server in Erlang, passing chat messages from one client to another over TLS. It
// stores nothing on the way, so it does less than a relay does.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, startProgram } from '../processes.ts'
import { createCertificate } from './certificate.ts'
import { unpackDebian } from './debian.ts'
import { connectXmpp, type XmppReference } from './xmpp.ts'

const ERLANG = [
  ...['base', 'asn1', 'crypto', 'mnesia', 'runtime-tools', 'public-key', 'ssl', 'ftp', 'tftp'],
  ...['inets', 'os-mon', 'syntax-tools', 'base64url', 'goldrush', 'unicode-util-compat', 'idna'],
  ...['xmerl', 'jiffy', 'jose', 'lager', 'tools', 'p1-utils', 'p1-yaml', 'p1-yconf', 'p1-acme'],
  ...['p1-cache-tab', 'p1-eimp', 'p1-mqtree', 'p1-pkix', 'p1-stringprep', 'p1-tls', 'p1-stun'],
  ...['p1-xml', 'p1-zlib', 'p1-xmpp']
].map((name) => `erlang-${name}`)

/** @throws when the packages, openssl or the network are missing */
export async function startEjabberd(folder: string): Promise<XmppReference> {
  const packages = ['ejabberd', 'libyaml-0-2', ...ERLANG]
  const root = await unpackDebian({ name: 'ejabberd', suite: 'bookworm', packages })
  const home = join(folder, 'ejabberd')
  const database = join(home, 'database')
  await mkdir(database, { recursive: true })
  const files = await createCertificate(home)
  const certificate = join(home, 'both.pem')
  await writeFile(
    certificate,
    `${await readFile(files.certificate, 'utf8')}${await readFile(files.key, 'utf8')}`
  )
  const port = await freePort()
  await writeFile(join(home, 'ejabberd.yml'), configuration(certificate, port))

  const erlang = join(root, 'usr/lib/erlang')
  const runtime = (await readdir(erlang)).find((name) => name.startsWith('erts-'))
  if (runtime === undefined) throw new Error('no Erlang runtime in the unpacked packages')
  const binaries = join(erlang, runtime, 'bin')
  const libraries = join(root, 'usr/lib/x86_64-linux-gnu')
  const server = await startProgram({
    command: join(binaries, 'erlexec'),
    args: ['-noinput', '-mnesia', 'dir', `"${database}"`, '-s', 'ejabberd'],
    // Debian's start scripts name their folders absolutely; this is what they would have set.
    env: {
      ROOTDIR: erlang,
      BINDIR: binaries,
      EMU: 'beam',
      PROGNAME: 'erl',
      ERL_LIBS: libraries,
      LD_LIBRARY_PATH: libraries,
      EJABBERD_CONFIG_PATH: join(home, 'ejabberd.yml'),
      EJABBERD_LOG_PATH: join(home, 'ejabberd.log')
    },
    ready: /Start accepting TLS connections at 127/
  })
  return connectXmpp(server, port)
}

function configuration(certificate: string, port: number): string {
  return `hosts: [localhost]
loglevel: info
certfiles: ["${certificate}"]
# Any name and password is right: there is nobody here but the benchmark.
auth_method: [anonymous]
anonymous_protocol: login_anon
listen:
  - port: ${port}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    tls: true
    access: all
    shaper: none
modules: {}
`
}
