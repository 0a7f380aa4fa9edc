// Reference: prosody, an XMPP server, passing chat messages from one client to another over TLS. It stores
// nothing on the way, so it does less than a relay does.
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, startProgram } from '../processes.ts'
import { createCertificate } from './certificate.ts'
import { unpackDebian } from './debian.ts'
import { connectXmpp, type XmppReference } from './xmpp.ts'

const PACKAGES = [
  ...['prosody', 'lua5.4', 'liblua5.4-0', 'lua-sec', 'lua-socket', 'lua-expat', 'lua-filesystem'],
  ...['libexpat1', 'libicu72', 'libidn12']
]

/** @throws when the packages, openssl or the network are missing */
export async function startProsody(folder: string): Promise<XmppReference> {
  const root = await unpackDebian({ name: 'prosody', suite: 'bookworm', packages: PACKAGES })
  const home = join(folder, 'prosody')
  await mkdir(join(home, 'data'), { recursive: true })
  const files = await createCertificate(home)
  await chmod(files.key, 0o600)
  const port = await freePort()
  await writeFile(join(home, 'prosody.cfg.lua'), configuration({ home, port, ...files }))
  const script = await readFile(join(root, 'usr/bin/prosody'), 'utf8')
  await writeFile(join(home, 'prosody'), relocated(script, root))

  const lua = join(root, 'usr/share/lua/5.4')
  const libraries = join(root, 'usr/lib/x86_64-linux-gnu')
  const server = await startProgram({
    command: join(root, 'usr/bin/lua5.4'),
    args: [join(home, 'prosody'), '-F', '--config', join(home, 'prosody.cfg.lua')],
    env: {
      LUA_PATH: `${lua}/?.lua;${lua}/?/init.lua;;`,
      LUA_CPATH: `${libraries}/lua/5.4/?.so;;`,
      LD_LIBRARY_PATH: libraries
    },
    ready: /Activated service 'c2s_direct_tls'/
  })
  return connectXmpp(server, port)
}

/** Debian's start script names its folders absolutely; these lead into the unpacked packages. */
function relocated(script: string, root: string): string {
  return script
    .replace(`CFG_SOURCEDIR='/usr`, `CFG_SOURCEDIR='${root}/usr`)
    .replace(`CFG_PLUGINDIR='/usr`, `CFG_PLUGINDIR='${root}/usr`)
}

function configuration(options: {
  home: string
  port: number
  certificate: string
  key: string
}): string {
  const { home, port, certificate, key } = options
  return `
run_as_root = true
data_path = "${home}/data"
pidfile = "${home}/prosody.pid"
log = { { levels = { min = "info" }, to = "console" } }
modules_enabled = { "roster", "saslauth", "tls", "disco" }
modules_disabled = { "s2s", "offline" }
interfaces = { "127.0.0.1" }
c2s_ports = {}
c2s_direct_tls_ports = { ${port} }
c2s_direct_tls_ssl = { certificate = "${certificate}", key = "${key}" }
c2s_require_encryption = true
-- Any password is right: there is nobody here but the benchmark.
authentication = "insecure"
insecure_open_authentication = "Yes please, I know what I'm doing!"
VirtualHost "localhost"
`
}
