// Makes a block that shows a difference smaller while it still shows it: fewer transactions, fewer accounts, fewer
// slots, shorter code.

// Drops as large parts of the list as it can, halving their size.
async function shrinkList(list, stillShows) {
  for (let size = Math.ceil(list.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < list.length; ) {
      const shorter = [...list.slice(0, at), ...list.slice(at + size)]
      if (await stillShows(shorter)) list = shorter
      else at += size
    }
  }
  return list
}

const codeUnits = (code) => code.slice(2).match(/../g) ?? []

export async function minimise(block, shows) {
  let small = block
  const attempt = async (change) => {
    const candidate = { ...small, ...change }
    if (!(await shows(candidate))) return false
    small = candidate
    return true
  }
  await shrinkList(small.txs, (txs) => attempt({ txs }))
  const entries = Object.entries(small.alloc)
  await shrinkList(entries, (kept) => attempt({ alloc: Object.fromEntries(kept) }))
  for (const [address, account] of Object.entries(small.alloc)) {
    const withAccount = (change) => attempt({ alloc: { ...small.alloc, [address]: { ...small.alloc[address], ...change } } })
    await shrinkList(Object.entries(account.storage ?? {}), (kept) => withAccount({ storage: Object.fromEntries(kept) }))
    if ((account.code ?? '0x').length > 2) {
      // Jump targets must not move, so code is cut only at its end.
      await shrinkTail(codeUnits(account.code), (units) => withAccount({ code: '0x' + units.join('') }))
    }
  }
  for (const key of Object.keys(small.env)) {
    const { [key]: _, ...env } = small.env
    await attempt({ env })
  }
  return small
}

// The shortest beginning of the code that still shows it.
async function shrinkTail(units, stillShows) {
  let [low, high] = [0, units.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (await stillShows(units.slice(0, middle))) high = middle
    else low = middle + 1
  }
}
