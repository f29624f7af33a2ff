import { Errno, prErr, type Kernel } from '@vnet/kernel'
import type { VfsFile } from '../vfs/node.ts'

/** Most that is taken in one write. @kernel USER_BUF_PAGE lib/dynamic_debug.c */
const MAX_QUERY = 4096

/**
 * The control file of dynamic debug: reading lists the debug lines, writing switches them.
 *
 * @kernel ddebug_proc_write() lib/dynamic_debug.c
 * @rule LOG-02
 */
export function dynamicDebugControl(kernel: Kernel): VfsFile {
  return {
    kind: 'file',
    mode: 0o644,
    writeMax: Number.MAX_SAFE_INTEGER,
    read: () => kernel.dyndbg.controlText(),
    write: (text) => query(kernel, text),
  }
}

function query(kernel: Kernel, text: string): void {
  if (text.length > MAX_QUERY - 1) throw new Errno('E2BIG')
  try {
    kernel.dyndbg.query(text)
  } catch (error) {
    // The program only gets a number; what is wrong stands in the log.
    if (error instanceof Errno && error.extack !== undefined) prErr(kernel, `dyndbg: ${error.extack}`)
    throw error
  }
}
