import { describe, expect, it } from 'vitest'
import { NetlinkOption, NlmF, NlWriter, Rtm, SOL_NETLINK } from '../../src/index.ts'
import { addDev, Client, errnoOf, ifinfo, makeRig } from '../rig.ts'

describe('NetlinkSocket', () => {
  it('gives the first socket of a process its pid, and others an address of their own', () => {
    const { server } = makeRig()
    const [a, b] = [server.socket(0, { pid: 77 }), server.socket(0, { pid: 77 })]
    a.bind(0)
    b.bind(0)
    expect(a.portid).toBe(77)
    expect(b.portid | 0).toBeLessThan(0)
    expect(() => server.socket(0).bind(77)).toThrow(expect.objectContaining({ code: 'EADDRINUSE' }) as Error)
  })

  it('peeks without taking, and says when there is something', () => {
    const { server, dev } = makeRig()
    const { socket } = new Client(server)
    let woken = 0
    socket.onReadable = () => woken++
    const w = new NlWriter()
    const at = w.begin(Rtm.GETLINK, NlmF.REQUEST, 1, 0)
    ifinfo(w, { index: dev.ifindex })
    w.end(at)
    socket.send(w.bytes())
    expect(socket.recv(true)).toBe(socket.recv())
    expect([socket.recv(), woken]).toEqual([null, 1])
  })

  it('loses what does not fit, says ENOBUFS once, and keeps what it had', () => {
    const { server, kernel } = makeRig()
    const socket = server.socket(0)
    socket.rcvbuf = 2000
    socket.bind(0, 1)
    for (let i = 0; i < 20; i++) addDev(kernel, `dev${i}`)
    expect(() => socket.recv()).toThrow(expect.objectContaining({ code: 'ENOBUFS' }) as Error)
    let kept = 0
    while (socket.recv() !== null) kept++
    expect(kept).toBeGreaterThan(0)
    expect(kept).toBeLessThan(20)
    addDev(kernel, 'late')
    expect(socket.recv()).not.toBeNull()
  })

  it('with NO_ENOBUFS, loses silently', () => {
    const { server, kernel } = makeRig()
    const socket = server.socket(0)
    socket.rcvbuf = 1
    socket.setsockopt(SOL_NETLINK, NetlinkOption.NO_ENOBUFS, 1)
    socket.bind(0, 1)
    for (let i = 0; i < 20; i++) addDev(kernel, `dev${i}`)
    while (socket.recv() !== null);
    expect(socket.readable).toBe(false)
  })

  it('makes a long dump as fast as it is read, and marks it when devices changed meanwhile', () => {
    const { server, kernel } = makeRig()
    for (let i = 0; i < 100; i++) addDev(kernel, `dev${i}`)
    const client = new Client(server)
    client.socket.rcvbuf = 9000
    const w = new NlWriter()
    const at = w.begin(Rtm.GETLINK, NlmF.REQUEST | NlmF.DUMP, 1, 0)
    ifinfo(w)
    w.end(at)
    client.socket.send(w.bytes())
    client.socket.recv()
    addDev(kernel, 'late')
    const rest = client.read()
    expect(rest.at(-1)).toMatchObject({ type: 3 })
    expect(rest.at(-1)!.flags & NlmF.DUMP_INTR).toBe(NlmF.DUMP_INTR)
    expect(rest.length).toBeGreaterThan(60)
  })

  it('refuses a second dump while one runs', () => {
    const { server, kernel } = makeRig()
    for (let i = 0; i < 100; i++) addDev(kernel, `dev${i}`)
    const client = new Client(server)
    client.socket.rcvbuf = 12000
    const w = new NlWriter()
    for (let i = 0; i < 2; i++) {
      const at = w.begin(Rtm.GETLINK, NlmF.REQUEST | NlmF.DUMP, i, 0)
      ifinfo(w)
      w.end(at)
    }
    const answers = client.raw(w.bytes())
    expect(answers.map(errnoOf)).toContain(-16)
    expect(answers.at(-1)).toMatchObject({ type: 3, seq: 0 })
  })

  it('ignores what is no request, but acknowledges it when asked', () => {
    const { server } = makeRig()
    const client = new Client(server)
    const w = new NlWriter()
    w.end(w.begin(Rtm.GETLINK, 0, 1, 0))
    w.end(w.begin(3, NlmF.REQUEST | NlmF.ACK, 2, 0))
    expect(client.raw(w.bytes()).map((one) => [one.seq, errnoOf(one)])).toEqual([[2, 0]])
  })

  it('refuses options, groups and protocols it does not know', () => {
    const { server } = makeRig()
    const socket = server.socket(0)
    const code = (value: string) => expect.objectContaining({ code: value }) as Error
    expect(() => socket.setsockopt(SOL_NETLINK, NetlinkOption.ADD_MEMBERSHIP, 99)).toThrow(code('EINVAL'))
    expect(() => socket.setsockopt(SOL_NETLINK, 99, 1)).toThrow(code('ENOPROTOOPT'))
    expect(() => server.socket(15)).toThrow(code('EPROTONOSUPPORT'))
    expect(() => socket.send(new Uint8Array(300_000))).toThrow(code('EMSGSIZE'))
    socket.close()
    expect(() => socket.recv()).toThrow(code('EBADF'))
    expect(server.open).toBe(0)
  })
})
