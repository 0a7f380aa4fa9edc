// Rows of styled text, one row of the terminal each: what every screen is made of.
import { Box, Text } from 'ink'
import type { Theme } from '../theme.ts'
import { fit, type Row } from './row.ts'

/** A pane of exactly these sizes. */
export function Rows(props: {
  readonly rows: readonly Row[]
  readonly theme: Theme
  readonly columns: number
  readonly height: number
}) {
  const { rows, theme, columns, height } = props
  return (
    <Box flexDirection="column" width={columns} height={height} overflow="hidden" flexShrink={0}>
      {rows.slice(0, height).map((row, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place on the screen
        <Text key={index} wrap="truncate">
          {row.length === 0
            ? ' '
            : fit(row, columns).map(({ style, text }, part) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a piece is its place in the row
                <Text key={part} {...theme[style]}>
                  {text.text}
                </Text>
              ))}
        </Text>
      ))}
    </Box>
  )
}
