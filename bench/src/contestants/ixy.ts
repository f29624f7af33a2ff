/**
 * The driver of ixy.js, unchanged (`vendor/ixy.js`, MIT), in a loop like ours: packets taken from its pool, sent, carried
 * by a card in memory from the one ring to the other, received, looked at, given back. Its 64-bit words are BigInts, as it
 * has them.
 */
import { FrameCopier, MemoryRegion } from '@vnet/kernel'
import { IXY } from '../../vendor/ixy.js/IXYclass.ixy'
import packets from '../../vendor/ixy.js/packets.ixy'
import type { Contestant } from '../contestant.ts'

const RING = 512
const BUF = 2048
const DONE = 3 // DD and EOP

interface Words {
  readonly d16: Uint16Array
  readonly d32: Uint32Array
  readonly d64: BigUint64Array
}

interface Packet {
  size: number
  buf_addr_phy: bigint
  readonly mem8: Uint8Array
  free(): void
}

function ring(): Words {
  const memory = new ArrayBuffer(RING * 16)
  return {
    d16: new Uint16Array(memory),
    d32: new Uint32Array(memory),
    d64: new BigUint64Array(memory),
  }
}

/** What init of ixy.js makes with the help of its addon: a pool over one memory, known by address. */
function pool(count: number) {
  const base = new ArrayBuffer(count * BUF)
  const made = {
    base_addr: base,
    free_stack_top: count,
    free_stack: Array.from({ length: count }, (_, i) => i),
    pkt_buffers: [] as Packet[],
  }
  for (let i = 0; i < count; i++) {
    const packet = packets.create(made, i, BUF) as Packet
    packet.buf_addr_phy = BigInt(i * BUF)
    made.pkt_buffers.push(packet)
  }
  return made
}

/** Two rings, and the card between them: what was sent is copied into the next receive buffer. */
class Card {
  readonly tx = ring()
  readonly rx = ring()
  moved = 0
  readonly #copier = new FrameCopier()
  readonly #memory: MemoryRegion

  constructor(base: ArrayBuffer) {
    this.#memory = new MemoryRegion(0, base)
  }

  carry(n: number): void {
    const memory = this.#memory
    for (let k = 0; k < n; k++) {
      const i = (this.moved++ & (RING - 1)) << 2
      const { tx, rx } = this
      const length = tx.d32[i + 2]! & 0xffff
      // The low half of the addresses; the pool is smaller than 4 GiB.
      this.#copier.copy(memory, rx.d32[i]!, memory.u8, tx.d32[i]!, length)
      tx.d32[i + 3] = DONE
      rx.d32[i + 2] = DONE
      rx.d16[(i << 1) + 6] = length
    }
  }
}

export function ixy([lengthText, burstText]: readonly string[]): Contestant {
  const [length, burst] = [Number(lengthText), Number(burstText)]
  const mempool = pool(4096)
  const card = new Card(mempool.base_addr)
  const dev = {
    pkts_rec: 0,
    pkts_sent: 0,
    set_reg_js: () => {},
    rx_queues: [
      { rx_index: 0, num_entries: RING, descriptors: card.rx, mempool, virtual_addresses: [] as Packet[] },
    ],
    tx_queues: [
      {
        tx_index: 0,
        clean_index: 0,
        num_entries: RING,
        descriptors: card.tx,
        virtual_addresses: [] as Packet[],
      },
    ],
  }
  for (let i = 0; i < RING; i++) {
    const packet = packets.alloc(mempool) as Packet
    card.rx.d64[i * 2] = packet.buf_addr_phy
    dev.rx_queues[0]!.virtual_addresses.push(packet)
  }
  const driver = new IXY('0000:00:00.0', 1, 1, dev)
  const bufs = new Array<Packet>(burst)
  let sum = 0
  let sent = 0
  const once = (): void => {
    packets.allocBatch(mempool, bufs)
    for (let i = 0; i < burst; i++) bufs[i]!.size = length
    card.carry(driver.tx_batch(0, bufs, burst))
    const got = driver.rx_batch(0, bufs, burst)
    for (let i = 0; i < got; i++) {
      sum = (sum + bufs[i]!.mem8[0]! + 1) | 0
      bufs[i]!.free()
    }
  }
  return {
    ops: burst,
    run(times) {
      for (let t = 0; t < times; t++) once()
      sent += times * burst
    },
    verify() {
      if (dev.pkts_rec !== sent || sum === 0) throw new Error(`ixy.js received ${dev.pkts_rec} of ${sent}`)
    },
  }
}
