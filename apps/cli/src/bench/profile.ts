/** V8's own profilers, written to files a browser's developer tools open. */
import { createWriteStream, writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { pipeline } from 'node:stream/promises'
import { getHeapSnapshot } from 'node:v8'

/** Samples where time goes while `work` runs; every 100 µs. */
export async function cpuProfile(file: string, work: () => void): Promise<void> {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: 100 })
  await session.post('Profiler.start')
  work()
  const { profile } = await session.post('Profiler.stop')
  session.disconnect()
  writeFileSync(file, JSON.stringify(profile))
}

/** Writes what is on the heap now. */
export async function heapSnapshot(file: string): Promise<void> {
  await pipeline(getHeapSnapshot(), createWriteStream(file))
}
