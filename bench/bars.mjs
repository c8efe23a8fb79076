// What the benchmarks are to reach. Each part writes its bars to the file that BENCH_BARS names, one JSON value a line;
// bench/run prints them all at its end.
import fs from 'node:fs'

// measured: words or a number; met: true, false, or undefined where there is nothing to reach or to compare with.
export function bar(name, wanted, measured, met) {
  if (!process.env.BENCH_BARS) return
  const words = typeof measured === 'number' ? measured.toFixed(2) : measured
  fs.appendFileSync(process.env.BENCH_BARS, JSON.stringify({ name, wanted, measured: words, met }) + '\n')
}

export const atLeast = (name, least, measured, unit) => bar(name, `at least ${least} ${unit}`, measured, measured >= least)
export const atMost = (name, most, measured, unit) => bar(name, `at most ${most} ${unit}`, measured, measured <= most)
export const shown = (name, measured) => bar(name, 'shown', measured)

export function printBars(file) {
  const bars = fs.readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line))
  const widths = ['name', 'wanted', 'measured'].map((key) => Math.max(...bars.map((b) => b[key].length), 8) + 2)
  const line = (cells, end) => console.log(cells.map((cell, i) => cell.padEnd(widths[i])).join('') + end)
  line(['', 'bar', 'measured'], '')
  for (const { name, wanted, measured, met } of bars) {
    line([name, wanted, measured], met === undefined ? '' : met ? 'met' : 'MISSED')
  }
  const missed = bars.filter(({ met }) => met === false).length
  console.log(`${bars.filter(({ met }) => met).length} bars met, ${missed} missed`)
}

export const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]
export const geomean = (list) => Math.exp(list.reduce((sum, x) => sum + Math.log(x), 0) / list.length)
export const quantile = (list, q) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * q))]
