// Reference servers come from Debian packages, unpacked into a cache folder outside the repository: nothing is
// installed, no root is needed, and the machine's own package lists stay as they are.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

const MIRROR = 'http://deb.debian.org/debian'
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
/** A mirror that has not answered by then is not reachable. */
const APT_TIMEOUT_MS = 180_000

/**
 * Unpacks packages of one Debian suite and returns the folder that stands for `/`. Downloads once.
 * @throws where apt, dpkg, the archive's keyring or the network is missing
 */
export async function unpackDebian(options: {
  readonly name: string
  readonly suite: string
  readonly packages: readonly string[]
}): Promise<string> {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
  const folder = join(cache, 'kith-benchmarks', `${options.name}-${options.suite}`)
  if (existsSync(join(folder, 'root'))) return join(folder, 'root')
  if (!existsSync(KEYRING)) throw new Error(`${KEYRING} is missing`)

  const downloads = join(folder, 'downloads')
  const unpacked = join(folder, 'unpacking')
  await rm(folder, { recursive: true, force: true })
  for (const path of ['lists/partial', 'archives/partial']) {
    await mkdir(join(folder, 'apt', path), { recursive: true })
  }
  await mkdir(downloads, { recursive: true })
  await writeFile(join(folder, 'apt/status'), '')
  await writeFile(
    join(folder, 'apt/sources.list'),
    `deb [signed-by=${KEYRING}] ${MIRROR} ${options.suite} main\n`
  )
  const apt = (...args: string[]) =>
    run('apt-get', [...privateState(join(folder, 'apt')), ...args], {
      cwd: downloads,
      timeout: APT_TIMEOUT_MS
    })
  await apt('update')
  await apt('download', ...options.packages)
  for (const file of await readdir(downloads)) {
    await run('dpkg', ['-x', join(downloads, file), unpacked])
  }
  await rename(unpacked, join(folder, 'root'))
  return join(folder, 'root')
}

function privateState(folder: string): string[] {
  const settings = [
    `Dir::State=${folder}`,
    `Dir::State::Lists=${folder}/lists`,
    `Dir::State::status=${folder}/status`,
    `Dir::Cache=${folder}`,
    `Dir::Etc::SourceList=${folder}/sources.list`,
    'Dir::Etc::SourceParts=/dev/null',
    'Acquire::Languages=none',
    // The cache folder may be one that apt's own user cannot enter.
    'APT::Sandbox::User=root'
  ]
  return settings.flatMap((setting) => ['-o', setting])
}
