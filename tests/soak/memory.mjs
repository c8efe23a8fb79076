// What a process has of the machine's memory, and a curve of it.
import fs from 'node:fs'

const number = (text, name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)[1]) / 1024

// In MiB: resident, proportional, and the most that was ever resident.
export function memoryOf(pid) {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8')
  const rollup = fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  return { rss: number(status, 'VmRSS'), pss: number(rollup, 'Pss'), peak: number(status, 'VmHWM') }
}

export const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]

// Does it still rise after the first fifth? Then by how many MiB, beyond a tenth and 2 MiB; else 0. Below six tenths of
// the ceiling caches may still be filling.
export function creep(list, ceiling) {
  const fifth = Math.floor(list.length / 5)
  const [early, late] = [median(list.slice(fifth, 2 * fifth)), median(list.slice(-fifth))]
  return Math.max(0, late - Math.max(early * 1.1 + 2, ceiling * 0.6))
}

// Does it rise through the last half of a long run, at whatever level, so that it would pass the ceiling within a day?
// Then by how many MiB an hour; else 0. The half is cut into twenty pieces, and their middles are compared with each other:
// a rise is believed when so many pairs agree as chance brings about once in thirty thousand runs (Mann and Kendall's test),
// and is as steep as the pair in the middle (Theil and Sen's slope).
export function trend(samples, ceiling) {
  const [pieces, longSeconds, daySeconds] = [20, 1200, 86_400]
  const half = samples.slice(Math.floor(samples.length / 2))
  if (samples.length === 0 || samples.at(-1).second < longSeconds) return 0 // caches still fill
  const size = Math.floor(half.length / pieces)
  const middles = Array.from({ length: pieces }, (_, i) => median(half.slice(i * size, (i + 1) * size).map(({ rss }) => rss)))
  const seconds = ((half.at(-1).second - half[0].second) * size) / half.length // of a piece
  const slopes = []
  for (let i = 0; i < pieces; i++) for (let j = i + 1; j < pieces; j++) slopes.push((middles[j] - middles[i]) / ((j - i) * seconds))
  const agree = slopes.reduce((sum, slope) => sum + Math.sign(slope), 0)
  const deviation = Math.sqrt((pieces * (pieces - 1) * (2 * pieces + 5)) / 18)
  const slope = median(slopes)
  return agree > 4 * deviation && median(middles) + slope * daySeconds > ceiling ? slope * 3600 : 0
}

// An SVG of samples { second, rss, pss } under a ceiling.
export function curve(samples, ceiling) {
  const [width, height, left, bottom] = [960, 360, 48, 32]
  const end = samples.at(-1).second || 1
  const top = Math.max(ceiling, ...samples.map(({ rss }) => rss)) * 1.1
  const x = (second) => (left + ((width - left - 8) * second) / end).toFixed(1)
  const y = (mib) => (height - bottom - ((height - bottom - 8) * mib) / top).toFixed(1)
  const line = (name, colour) =>
    `<polyline fill="none" stroke="${colour}" points="${samples.map((at) => `${x(at.second)},${y(at[name])}`).join(' ')}"/>`
  const label = (at, mib, words, colour) => `<text x="${at}" y="${y(mib) - 4}" fill="${colour}">${words}</text>`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">
<rect width="${width}" height="${height}" fill="white"/>
<line x1="${left}" x2="${width - 8}" y1="${y(ceiling)}" y2="${y(ceiling)}" stroke="crimson"/>
${label(left + 4, ceiling, `--memory: ${ceiling} MiB`, 'crimson')}
${line('rss', 'steelblue')}
${line('pss', 'seagreen')}
<line x1="${left}" x2="${width - 8}" y1="${y(0)}" y2="${y(0)}" stroke="black"/>
<text x="${left}" y="${height - 12}">0 s</text><text x="${width - 64}" y="${height - 12}">${end} s</text>
<text x="${left + 160}" y="${height - 12}" fill="steelblue">resident (RSS)</text>
<text x="${left + 280}" y="${height - 12}" fill="seagreen">proportional (PSS)</text>
<text x="4" y="${y(0)}">0</text><text x="4" y="${y(top / 1.1)}">${Math.round(top / 1.1)}</text>
</svg>
`
}
