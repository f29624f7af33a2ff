import { libc } from '../src/libc.ts'
import { Netns } from '../src/netns.ts'

/** Why system calls cannot be made here, printed; false when they can. */
export function noLinux(): string | false {
  return told(() => libc())
}

/** Why no namespace can be made here, printed; false when it can. */
export function noNamespace(): string | false {
  return told(() => Netns.create().close())
}

function told(attempt: () => void): string | false {
  try {
    attempt()
    return false
  } catch (error) {
    const { message } = error as Error
    console.warn(`skipped: ${message}`)
    return message
  }
}
