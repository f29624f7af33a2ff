import { devOpen } from '@vnet/netdev'
import { describe, expect, it } from 'vitest'
import { decodeMessages, encodeMessages, iflaPolicy, Nlmsg, NlMessages, nodeType } from '../src/index.ts'
import type { MessageNode } from '../src/index.ts'
import { CAPTURES, readCapture } from './captures.ts'
import type { Captured } from './captures.ts'
import { C_VNET7, headerOf, makeRig } from './rig.ts'

const linkPolicy = (type: number) => (type >= 16 && type < 20 ? iflaPolicy : undefined)

describe('the oracle’s captures', () => {
  it.each(CAPTURES)('%s decodes, and encodes to the same bytes', (name) => {
    for (const { protocol, bytes } of readCapture(name)) {
      const nodes = decodeMessages(bytes, headerOf(protocol), protocol === 0 ? linkPolicy : undefined)
      expect(nodes.length).toBeGreaterThan(0)
      // ip pads its dump request of addresses with zeros that belong to no message.
      const used =
        nodes.length === 1 ? new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) : bytes.length
      expect(encodeMessages(nodes)).toEqual(bytes.slice(0, used))
    }
  })

  it('finds nests in them', () => {
    const reply = readCapture('ethtool-k').find(({ bytes }) => bytes.length === 2260)!
    const [message] = decodeMessages(reply.bytes, () => 4)
    const strings = message!.attrs[0]!.inside![0]!.inside![2]!.inside!
    expect(strings).toHaveLength(64)
  })
})

/** What differs from the recorded kernel, and why. */
const DIFFERENCES: Readonly<Record<string, string>> = {
  'ifla 26': 'af-spec: the recorded kernel had IPv4 and IPv6 stacks, here @vnet/inet will add them',
  'ifla 7': 'counters: other traffic',
  'ifla 23': 'counters: other traffic',
  'ifla 6': 'the default queueing discipline is pfifo_fast, Debian’s is fq_codel',
  'ctrl 6': 'one more command: RSS_GET (38), which ethtool uses since 6.2',
  'ctrl 7': 'the number of the group "monitor" depends on what was registered before',
}

interface Replayed {
  readonly request: Captured
  readonly theirs: MessageNode[]
  readonly ours: MessageNode[]
}

const isRequest = (bytes: Uint8Array): boolean => {
  const messages = new NlMessages(bytes)
  return messages.next() && messages.portid === 0 && (messages.flags & 1) !== 0
}

/** Replays every request of a capture, with the answers that came then and come now. */
function replay(name: (typeof CAPTURES)[number], up: boolean): Replayed[] {
  const { kernel, server, dev } = makeRig(C_VNET7, (d) => {
    // The recorded machine: lo was 1, nlmon0 was 2.
    d.ifindex = 3
    d.addrGenMode = 'eui64'
  })
  if (up) kernel.rtnl.run(() => devOpen(dev))
  const sockets = new Map([0, 16].map((nr) => [nr, server.socket(nr)] as const))
  for (const socket of sockets.values()) {
    socket.bind(0)
    socket.extAck = true
  }
  const captured = readCapture(name)
  const out: Replayed[] = []
  for (const [i, request] of captured.entries()) {
    if (!isRequest(request.bytes)) continue
    const rest = captured.slice(i + 1)
    const next = rest.findIndex((one) => isRequest(one.bytes))
    const answers = rest.slice(0, next < 0 ? rest.length : next)
    const decode = (bytes: Uint8Array): MessageNode[] =>
      decodeMessages(bytes, headerOf(request.protocol), request.protocol === 0 ? linkPolicy : undefined)
    const socket = sockets.get(request.protocol)!
    socket.send(request.bytes)
    const ours: MessageNode[] = []
    for (let got = socket.recv(); got !== null; got = socket.recv()) ours.push(...decode(got.bytes))
    out.push({ request, theirs: answers.flatMap((one) => decode(one.bytes)), ours })
  }
  return out
}

/** Attribute by attribute: number and payload, in order. */
function fields(message: MessageNode): string[] {
  return message.attrs.map((node) => `${nodeType(node)}=${Buffer.from(node.payload).toString('hex')}`)
}

/** Everything but the address, which each kernel makes up. */
function outline({ type, flags, seq, header }: MessageNode): string {
  return `${type} ${flags.toString(16)} ${seq} ${Buffer.from(header).toString('hex')}`
}

function expectSame(theirs: MessageNode[], ours: MessageNode[], but: readonly string[], known: string): void {
  expect(ours.map(outline)).toEqual(theirs.map(outline))
  const left = (message: MessageNode): string[] =>
    fields(message).filter((field) => !but.includes(`${known} ${field.split('=')[0]!}`))
  expect(ours.map(left)).toEqual(theirs.map(left))
  for (const one of but) expect(DIFFERENCES).toHaveProperty([one])
}

describe('replaying the requests of 40-nlmon', () => {
  it.each([
    ['link-up', false],
    ['mac-busy', true],
    ['mtu-bad', true],
    ['link-down', true],
  ] as const)('%s: the same messages, in the same order, attribute by attribute', (name, up) => {
    const but = ['ifla 26', 'ifla 7', 'ifla 23', ...(up ? ['ifla 6'] : [])]
    const all = replay(name, up)
    expect(all.length).toBeGreaterThan(2)
    for (const { theirs, ours } of all) expectSame(theirs, ours, but, 'ifla')
  })

  it('link-show: the same, with statistics', () => {
    for (const { theirs, ours } of replay('link-show', true)) {
      expectSame(theirs, ours, ['ifla 26', 'ifla 7', 'ifla 23', 'ifla 6'], 'ifla')
      for (const message of ours.filter((one) => one.type === 16)) {
        expect(message.attrs.map(nodeType)).toEqual(theirs[0]!.attrs.map(nodeType))
      }
    }
  })

  it('ethtool and ethtool -g: the same but for the list of commands', () => {
    for (const name of ['ethtool', 'ethtool-g'] as const) {
      for (const { theirs, ours, request } of replay(name, true)) {
        const ctrl = new DataView(request.bytes.buffer).getUint16(4, true) === 16
        expectSame(theirs, ours, ctrl ? ['ctrl 6', 'ctrl 7'] : [], 'ctrl')
        if (ctrl) expectOps(ours[0]!, theirs[0]!)
      }
    }
  })

  it('ethtool -k: names and features are the same to the bit', () => {
    const [, get, strings] = replay('ethtool-k', true)
    expectSame(strings!.theirs, strings!.ours, [], '')
    expectSame(get!.theirs, get!.ours, [], '')
    expect(strings!.ours[0]!.attrs[0]!.payload.length).toBeGreaterThan(2000)
  })

  it('addr-show and addr-add: without a protocol stack, an empty list and a refusal', () => {
    const show = replay('addr-show', true).at(-1)!
    expect(show.ours.map((one) => one.type)).toEqual([Nlmsg.DONE])
    const add = replay('addr-add', true).at(-1)!
    expect(new DataView(add.ours[0]!.header.buffer).getInt32(0, true)).toBe(-95)
  })
})

/** Ours is theirs and one more; each with the same flags. */
function expectOps(ours: MessageNode, theirs: MessageNode): void {
  const ops = (message: MessageNode): string[] =>
    decodeOps(message.attrs.find((node) => nodeType(node) === 6)!.payload)
  const mine = ops(ours)
  expect(mine.slice(0, 37)).toEqual(ops(theirs))
  expect(mine).toHaveLength(38)
}

function decodeOps(bytes: Uint8Array): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const out: string[] = []
  for (let at = 0; at + 20 <= bytes.length; at += 20) {
    out.push(`${view.getUint32(at + 8, true)} flags ${view.getUint32(at + 16, true).toString(16)}`)
  }
  return out
}
