/** What this file needs of the host's web streams: browsers and Node have them, the language does not know them. */
export interface ReadableController {
  enqueue(frame: Uint8Array): void
  close(): void
  readonly desiredSize: number | null
}

interface ReadableSource {
  start(controller: ReadableController): void
  cancel(): void
}

interface WritableSink {
  write(frame: Uint8Array): void
  close(): void
  abort(): void
}

interface HostStreams {
  readonly ReadableStream: new (source: ReadableSource, strategy: { highWaterMark: number }) => WebReadable
  readonly WritableStream: new (sink: WritableSink) => WebWritable
}

/** The host's `ReadableStream`, or an unknown object where its types are not known. @kernel none */
export type WebReadable = typeof globalThis extends { ReadableStream: { prototype: infer R } } ? R : object
/** The host's `WritableStream`, or an unknown object where its types are not known. @kernel none */
export type WebWritable = typeof globalThis extends { WritableStream: { prototype: infer W } } ? W : object

/** Makes a stream that is read from. */
export function makeReadable(source: ReadableSource, highWaterMark: number): WebReadable {
  return new (globalThis as unknown as HostStreams).ReadableStream(source, { highWaterMark })
}

/** Makes a stream that is written to. */
export function makeWritable(sink: WritableSink): WebWritable {
  return new (globalThis as unknown as HostStreams).WritableStream(sink)
}
