// Loads the drawing library with the settings it reads while it loads.

/** React without its checks for developers, which are slower; sixteen colours, whatever is guessed of the terminal. */
const SETTINGS = { NODE_ENV: 'production', FORCE_COLOR: '1', DEV: '' }

/** The environment is given back as it was, because an editor inherits it. */
export async function loadFullScreen(env: Record<string, string | undefined>) {
  const before = Object.fromEntries(Object.keys(SETTINGS).map((key) => [key, env[key]]))
  Object.assign(env, SETTINGS)
  try {
    return await import('./index.ts')
  } finally {
    for (const [key, value] of Object.entries(before)) {
      if (value === undefined) delete env[key]
      else env[key] = value
    }
  }
}
