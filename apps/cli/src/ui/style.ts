import pico from 'picocolors'

const colours = pico.createColors(true)

/** The ways a text can stand out. */
export type Format = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'magenta' | 'cyan'

/** Where lines go, and whether they may be coloured. */
export interface Screen {
  readonly colour: boolean
  /** Columns to keep within. */
  readonly width: number
  write(text: string): void
}

/** Colours `text` when the screen shows colours. */
export function paint(screen: Screen, format: Format, text: string): string {
  return screen.colour ? colours[format](text) : text
}

/** Says whether a stream should get colours: NO_COLOR and FORCE_COLOR win over what the stream is. */
export function wantsColour(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  if (env['NO_COLOR']) return false
  if (env['FORCE_COLOR'] !== undefined) return env['FORCE_COLOR'] !== '0'
  return stream.isTTY === true && env['TERM'] !== 'dumb'
}

/** The screen of a stream; a reader that went away (`| head`) ends the command quietly. */
export function screenOf(stream: NodeJS.WriteStream, noColour: boolean): Screen {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0)
    throw error
  })
  return {
    colour: !noColour && wantsColour(stream, process.env),
    width: Math.min(stream.columns ?? 80, 80),
    write: (text) => void stream.write(text),
  }
}
