import { createKernel, type Kernel } from '@vnet/kernel'
import { dmesgLines } from '../session.ts'
import { paint, type Screen } from '../ui/style.ts'

/** Raised when the person watching pressed Ctrl-C. */
export class Interrupted extends Error {}

/** What every step of the demo works on. */
export class Stage {
  readonly kernel: Kernel
  readonly screen: Screen
  interrupted = false
  private logSeen = 0

  constructor(screen: Screen, virtual: boolean) {
    this.screen = screen
    this.kernel = createKernel({ strict: false, checks: true, clock: virtual ? 'virtual' : 'real' })
    this.kernel.hold()
  }

  /** A line of the demo's own. */
  say(text = ''): void {
    this.screen.write(`${text}\n`)
  }

  /** A heading: what the next lines show. */
  title(text: string): void {
    this.say()
    this.say(paint(this.screen, 'bold', text))
  }

  /** The command a Linux user would type here. */
  prompt(command: string): void {
    this.say(`${paint(this.screen, 'dim', '$')} ${paint(this.screen, 'cyan', command)}`)
  }

  /** Prints what the kernel logged since the last time. */
  newDmesg(): void {
    const lines = dmesgLines(this.kernel)
    for (const line of lines.slice(this.logSeen)) this.say(paint(this.screen, 'dim', line))
    this.logSeen = lines.length
  }

  /** A short dim remark. */
  note(text: string): void {
    this.say(paint(this.screen, 'dim', text))
  }

  check(): void {
    if (this.interrupted) throw new Interrupted()
  }
}
