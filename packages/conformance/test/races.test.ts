import { describe, expect, it } from 'vitest'
import {
  RACE_CHOICES,
  RACE_SCENARIOS,
  formatRace,
  raceMutants,
  refSpec,
  replayRace,
  runRaces,
  testRaces,
} from '../src/index.ts'

testRaces({ describe, it }, refSpec(), { seed: 1000, depth: 1, random: 20 })

describe('races on purpose', () => {
  it('the reference driver keeps the rules in all of them, at every point where something can happen', () => {
    const { runs, points, failures } = runRaces(refSpec(), { random: 30 })
    expect(failures).toEqual([])
    expect(runs).toBe(RACE_SCENARIOS.length * (RACE_CHOICES.length ** 3 + 30))
    expect([...points].sort()).toEqual([
      'irq:before-schedule', 'napi:after-complete', 'napi:before-unmask', 'reclaim:after-index', 'stop:after-queues',
      'xmit:after-stop', 'xmit:before-stop',
    ]) // prettier-ignore
  })

  // A queue that sleeps shows the same way whichever of the two looks is missing.
  const shown: Record<string, string> = { 'TXQ-06': 'TXQ-05' }
  it.each(raceMutants.map((m) => [m.id, m.fault, m] as const))(
    '%s finds a driver that %s',
    (id, _fault, { spec }) => {
      const { failures } = runRaces(spec, { until: shown[id] ?? id })
      expect(failures.map((f) => f.rule)).toContain(shown[id] ?? id)
      const failure = failures.find((f) => f.rule === (shown[id] ?? id))!
      const lines: string[] = []
      const again = replayRace(spec, failure, (line) => lines.push(line))
      expect(again).toMatchObject({ rule: failure.rule, message: failure.message, points: failure.points })
      expect(replayRace(refSpec(), failure)).toBeNull()
      expect(lines.filter((line) => line.includes('--- '))).toHaveLength(failure.points.length)
      expect(formatRace(failure)).toContain(`choices: ${failure.choices.join(' ')}`)
    },
  )

  it('finds the same with the same seed', () => {
    const once = (): unknown => runRaces(raceMutants[3]!.spec, { depth: 0, random: 20, seed: 5 }).failures
    expect(once()).toEqual(once())
  })
})
