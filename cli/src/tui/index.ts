// The door of the full-screen terminal. Loads the drawing library; see load.node.ts.
export { App } from './app.tsx'
export { runFullScreen } from './run.node.tsx'
