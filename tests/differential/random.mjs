// Numbers from a seed: the same seed gives the same block on every machine (sfc32 by Chris Doty-Humphrey, public domain).
export class Random {
  constructor(seed) {
    this.state = [0x9e3779b9, 0x243f6a88, 0xb7e15162, seed >>> 0]
    for (let i = 0; i < 16; i++) this.u32()
  }

  u32() {
    const s = this.state
    const t = (((s[0] + s[1]) | 0) + s[3]) | 0
    s[3] = (s[3] + 1) | 0
    s[0] = s[1] ^ (s[1] >>> 9)
    s[1] = (s[2] + (s[2] << 3)) | 0
    s[2] = ((s[2] << 21) | (s[2] >>> 11)) + t
    s[2] |= 0
    return t >>> 0
  }

  // 0 <= result < n
  below(n) {
    return Math.floor((this.u32() / 2 ** 32) * n)
  }

  between(low, high) {
    return low + this.below(high - low + 1)
  }

  chance(probability) {
    return this.u32() < probability * 2 ** 32
  }

  pick(list) {
    return list[this.below(list.length)]
  }

  bytes(length) {
    return Uint8Array.from({ length }, () => this.below(256))
  }

  // One of { weight: maker } by weight.
  weighted(table) {
    const total = table.reduce((sum, [weight]) => sum + weight, 0)
    let left = this.below(total)
    for (const [weight, value] of table) {
      if (left < weight) return value
      left -= weight
    }
    return table[0][1]
  }
}
