import { statSync } from 'node:fs'
import { modinfoText } from '@vnet/kernel'
import { createVnetModule } from '@vnet/vnet'
import { loadModuleFile } from '../module-file.ts'

/** Prints what needs no machine to be known: our own module, and a file's. False: ask a machine. */
export async function modinfoHere(word: string | undefined): Promise<boolean> {
  if (word === undefined || word === 'vnet' || word === 'vnet.ko') {
    process.stdout.write(modinfoText(createVnetModule()))
    return true
  }
  if (statSync(word, { throwIfNoEntry: false })?.isFile() !== true) return false
  process.stdout.write(modinfoText(await loadModuleFile(word)))
  return true
}
