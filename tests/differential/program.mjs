// Random EVM programs. Most are sensible: statements of expressions whose stack height is known, loops, branches,
// calls, creations. Some are noise. `world` says which addresses exist and which fork's opcodes are at hand.

const op = {
  STOP: 0x00, KECCAK256: 0x20, BALANCE: 0x31, CALLDATALOAD: 0x35, CALLDATACOPY: 0x37, CODECOPY: 0x39, EXTCODESIZE: 0x3b,
  EXTCODECOPY: 0x3c, RETURNDATASIZE: 0x3d, RETURNDATACOPY: 0x3e, EXTCODEHASH: 0x3f, BLOCKHASH: 0x40, BLOBHASH: 0x49,
  POP: 0x50, MLOAD: 0x51, MSTORE: 0x52, MSTORE8: 0x53, SLOAD: 0x54, SSTORE: 0x55, JUMP: 0x56, JUMPI: 0x57, GAS: 0x5a,
  JUMPDEST: 0x5b, TLOAD: 0x5c, TSTORE: 0x5d, MCOPY: 0x5e, PUSH0: 0x5f, PUSH1: 0x60, DUP1: 0x80, SWAP1: 0x90, LOG0: 0xa0,
  CREATE: 0xf0, CALL: 0xf1, CALLCODE: 0xf2, RETURN: 0xf3, DELEGATECALL: 0xf4, CREATE2: 0xf5, STATICCALL: 0xfa, REVERT: 0xfd,
  INVALID: 0xfe, SELFDESTRUCT: 0xff, ADDRESS: 0x30, SUB: 0x03,
}

// [opcode, the first fork that has it]
const noArgument = [
  [0x30, 0], [0x32, 0], [0x33, 0], [0x34, 0], [0x36, 0], [0x38, 0], [0x3a, 0], [0x3d, 4], [0x41, 0], [0x42, 0], [0x43, 0],
  [0x44, 0], [0x45, 0], [0x46, 7], [0x47, 7], [0x48, 9], [0x4a, 12], [0x58, 0], [0x59, 0], [0x5a, 0], [0x5f, 11],
]
const oneArgument = [
  [0x15, 0], [0x19, 0], [0x1e, 14], [op.BALANCE, 0], [op.CALLDATALOAD, 0], [op.EXTCODESIZE, 0], [op.EXTCODEHASH, 5],
  [op.BLOCKHASH, 0], [op.BLOBHASH, 12], [op.SLOAD, 0], [op.TLOAD, 12],
]
const twoArguments = [
  [0x01, 0], [0x02, 0], [0x03, 0], [0x04, 0], [0x05, 0], [0x06, 0], [0x07, 0], [0x0a, 0], [0x0b, 0], [0x10, 0], [0x11, 0],
  [0x12, 0], [0x13, 0], [0x14, 0], [0x16, 0], [0x17, 0], [0x18, 0], [0x1a, 0], [0x1b, 5], [0x1c, 5], [0x1d, 5],
]
const threeArguments = [[0x08, 0], [0x09, 0]]

const corners = [
  0n, 1n, 2n, 3n, 31n, 32n, 33n, 255n, 256n, 257n, (1n << 64n) - 1n, 1n << 64n, 1n << 127n, 1n << 128n, (1n << 128n) - 1n,
  1n << 255n, (1n << 255n) - 1n, (1n << 256n) - 1n, (1n << 256n) - 2n, (1n << 256n) - 32n, (1n << 160n) - 1n,
]

export function bytesOf(value) {
  let digits = value.toString(16)
  if (digits.length % 2) digits = '0' + digits
  return Uint8Array.from(digits.match(/../g), (byte) => parseInt(byte, 16))
}

class Writer {
  constructor(random, world) {
    this.random = random
    this.world = world
    this.code = []
    this.height = 0 // values that the statements around this one keep on the stack
  }

  emit(...bytes) {
    this.code.push(...bytes)
  }

  push(value) {
    const bytes = bytesOf(BigInt(value))
    if (value == 0 && this.world.fork >= 11 && this.random.chance(0.7)) return this.emit(op.PUSH0)
    this.emit(op.PUSH1 + bytes.length - 1, ...bytes)
  }

  // An opcode of the table that this fork has, or, rarely, one that it has not.
  choose(table) {
    const [opcode, since] = this.random.pick(table)
    if (since <= this.world.fork || this.random.chance(0.002)) return opcode
    return this.choose(table)
  }

  address() {
    const { random, world } = this
    random.weighted([
      [60, () => this.push(random.pick(world.addresses))],
      [12, () => this.push(random.between(1, world.fork >= 13 ? 0x11 : world.fork >= 12 ? 10 : 9))],
      [2, () => this.push(0x100)],
      [8, () => this.emit(op.ADDRESS)],
      [4, () => this.emit(0x33)],
      [3, () => this.emit(0x41)],
      [3, () => (this.push(random.below(4)), this.emit(op.SLOAD))],
      [2, () => this.push(BigInt(random.u32()) << 96n | BigInt(random.u32()))],
    ])()
  }

  smallOffset() {
    this.push(this.random.chance(0.9) ? this.random.below(128) : this.random.below(2000))
  }

  smallLength() {
    this.push(this.random.weighted([[20, 0], [60, this.random.below(100)], [10, 32], [3, this.random.below(2000)]]))
  }

  constant() {
    const { random } = this
    this.push(
      random.weighted([
        [40, BigInt(random.below(300))],
        [20, random.pick(corners)],
        [10, BigInt(random.u32())],
        [10, [...random.bytes(random.between(1, 32))].reduce((n, byte) => (n << 8n) | BigInt(byte), 0n)],
      ]),
    )
  }

  // Pushes one value.
  expression(depth = 0) {
    const { random } = this
    const deeper = depth < 3
    random.weighted([
      [30, () => this.constant()],
      [14, () => this.emit(this.choose(noArgument))],
      [this.height > 0 ? 10 : 0, () => this.emit(op.DUP1 + random.below(Math.min(this.height, 16)))],
      [deeper ? 30 : 0, () => this.operation(twoArguments, 2, depth)],
      [deeper ? 5 : 0, () => this.operation(threeArguments, 3, depth)],
      [deeper ? 10 : 0, () => this.unary(depth)],
      [8, () => (this.smallOffset(), this.emit(op.MLOAD))],
      [8, () => (this.push(random.below(6)), this.emit(op.SLOAD))],
      [3, () => (this.smallLength(), this.smallOffset(), this.emit(op.KECCAK256))],
      [deeper ? 6 : 0, () => this.call()],
      [deeper ? 2 : 0, () => this.create()],
    ])()
  }

  operation(table, count, depth) {
    for (let i = 0; i < count; i++) this.held(() => this.expression(depth + 1), i)
    this.emit(this.choose(table))
  }

  // Runs `body` while `count` more values lie on the stack.
  held(body, count) {
    this.height += count
    body()
    this.height -= count
  }

  unary(depth) {
    const opcode = this.choose(oneArgument)
    if ([op.BALANCE, op.EXTCODESIZE, op.EXTCODEHASH].includes(opcode)) this.address()
    else if ([op.SLOAD, op.TLOAD].includes(opcode)) this.push(this.random.below(6))
    else if (opcode === op.BLOCKHASH) this.push(this.random.below(this.world.number + 3))
    else if (opcode === op.BLOBHASH) this.push(this.random.below(4))
    else this.expression(depth + 1)
    this.emit(opcode)
  }

  // Pushes whether a call succeeded.
  call() {
    const { random, world } = this
    const kinds = [[10, op.CALL], [3, op.CALLCODE], [world.fork >= 1 ? 6 : 0, op.DELEGATECALL], [world.fork >= 4 ? 5 : 0, op.STATICCALL]]
    const kind = random.weighted(kinds)
    if (random.chance(0.3)) this.precompileInput()
    const steps = [() => this.smallLength(), () => this.smallOffset(), () => this.smallLength(), () => this.smallOffset()]
    steps.forEach((step) => step())
    if (kind === op.CALL || kind === op.CALLCODE) this.push(random.weighted([[70, 0], [25, random.below(1000)], [1, 1n << 200n]]))
    this.address()
    random.weighted([
      [50, () => this.emit(op.GAS)],
      [30, () => this.push(random.below(100_000))],
      [5, () => this.push(random.below(3000))],
      [5, () => this.push((1n << 256n) - 1n)],
    ])()
    this.emit(kind)
  }

  // Writes something into memory that a precompile may accept.
  precompileInput() {
    const { random } = this
    const words = random.weighted([
      [3, [BigInt(random.below(40)), BigInt(random.below(40)), BigInt(random.below(40))]],
      [3, [1n, 2n, 1n, 2n]],
      [2, [1n, 2n, BigInt(random.u32())]],
      [1, [BigInt(random.u32()) << 200n, 27n + BigInt(random.below(2)), BigInt(random.u32()) << 190n, BigInt(random.u32())]],
      [1, [0n, 0n, 0n, 0n, 0n, 0n]],
    ])
    words.forEach((word, i) => {
      this.push(word)
      this.push(32 * i)
      this.emit(op.MSTORE)
    })
  }

  // Pushes the address of a contract it tried to create.
  create() {
    const { random, world } = this
    const init = initCode(random, world)
    for (let at = 0; at < init.length; at += 32) {
      const part = new Uint8Array(32)
      part.set(init.slice(at, at + 32))
      this.emit(op.PUSH1 + 31, ...part)
      this.push(at)
      this.emit(op.MSTORE)
    }
    const salted = world.fork >= 5 && random.chance(0.5)
    if (salted) this.push(random.below(3))
    this.push(random.chance(0.02) ? 49153 : init.length)
    this.push(0)
    this.push(random.weighted([[70, 0], [20, random.below(100)], [1, 1n << 200n]]))
    this.emit(salted ? op.CREATE2 : op.CREATE)
  }

  statement(depth = 0) {
    const { random, world } = this
    const on = (since, weight) => (world.fork >= since ? weight : 0)
    random.weighted([
      [20, () => (this.expression(), this.held(() => this.push(random.below(6)), 1), this.emit(op.SSTORE))],
      [on(12, 4), () => (this.expression(), this.held(() => this.push(random.below(4)), 1), this.emit(op.TSTORE))],
      [20, () => (this.expression(), this.held(() => this.smallOffset(), 1), this.emit(op.MSTORE))],
      [6, () => (this.expression(), this.held(() => this.smallOffset(), 1), this.emit(op.MSTORE8))],
      [6, () => this.log()],
      [8, () => this.copy(random.weighted([[4, op.CALLDATACOPY], [2, op.CODECOPY], [on(12, 4), op.MCOPY]]))],
      [2, () => (this.smallLength(), this.smallOffset(), this.smallOffset(), this.address(), this.emit(op.EXTCODECOPY))],
      [on(4, 3), () => this.copyReturned()],
      [18, () => (this.call(), this.emit(op.POP))],
      [4, () => (this.create(), this.drop())],
      [8, () => (this.expression(), this.emit(op.POP))],
      [depth < 2 ? 6 : 0, () => this.loop(depth)],
      [depth < 3 ? 8 : 0, () => this.branch(depth)],
      [1, () => this.ending()],
      [random.chance(0.1) ? 5 : 0, () => this.emit(random.below(256))],
    ])()
  }

  // Takes a value off the stack, into a slot or away.
  drop() {
    if (this.random.chance(0.5)) {
      this.push(this.random.below(4))
      this.emit(op.SSTORE)
    } else {
      this.emit(op.POP)
    }
  }

  log() {
    const topics = this.random.below(5)
    for (let i = 0; i < topics; i++) this.held(() => this.constant(), i)
    this.smallLength()
    this.smallOffset()
    this.emit(op.LOG0 + topics)
  }

  copy(opcode) {
    this.smallLength()
    this.smallOffset()
    this.smallOffset()
    this.emit(opcode)
  }

  copyReturned() {
    if (this.random.chance(0.8)) this.emit(op.RETURNDATASIZE)
    else this.smallLength()
    this.push(this.random.chance(0.9) ? 0 : 1)
    this.smallOffset()
    this.emit(op.RETURNDATACOPY)
  }

  // Jump targets are pushed by two bytes, filled in when known.
  pushTarget() {
    this.emit(op.PUSH1 + 1, 0, 0)
    return this.code.length - 2
  }

  fill(at, target) {
    this.code[at] = target >> 8
    this.code[at + 1] = target & 0xff
  }

  loop(depth) {
    this.push(this.random.between(1, this.random.chance(0.1) ? 300 : 6))
    const start = this.code.length
    this.emit(op.JUMPDEST)
    this.held(() => {
      for (let i = this.random.between(1, 4); i > 0; i--) this.statement(depth + 1)
    }, 1)
    this.emit(op.PUSH1, 1, op.SWAP1, op.SUB, op.DUP1)
    this.fill(this.pushTarget(), start)
    this.emit(op.JUMPI, op.POP)
  }

  branch(depth) {
    this.expression()
    const at = this.pushTarget()
    this.emit(op.JUMPI)
    for (let i = this.random.between(1, 4); i > 0; i--) this.statement(depth + 1)
    this.fill(at, this.code.length)
    this.emit(op.JUMPDEST)
  }

  ending() {
    const { random, world } = this
    random.weighted([
      [2, () => this.emit(op.STOP)],
      [6, () => (this.smallLength(), this.smallOffset(), this.emit(op.RETURN))],
      [world.fork >= 4 ? 3 : 0, () => (this.smallLength(), this.smallOffset(), this.emit(op.REVERT))],
      [4, () => (this.address(), this.emit(op.SELFDESTRUCT))],
      [1, () => this.emit(op.INVALID)],
      [1, () => (this.expression(), this.emit(op.JUMP))],
    ])()
  }
}

// Init code of a few words: what it returns, or how it fails.
export function initCode(random, world) {
  const returning = (runtime) => {
    // PUSH the length twice, copy from behind this 12-byte prologue, return.
    const length = [runtime.length >> 8, runtime.length & 0xff]
    const start = [0x61, ...length, 0x80, 0x60, 0x0c, 0x60, 0x00, 0x39, 0x60, 0x00, 0xf3]
    return Uint8Array.from([...start, ...runtime])
  }
  return random.weighted([
    [10, () => returning(program(random, world, random.between(1, 6)))],
    [3, () => returning(random.bytes(random.below(20)))],
    [2, () => program(random, world, random.between(1, 4))],
    [1, () => Uint8Array.from([0x60, 0xef, 0x60, 0x00, 0x53, 0x60, 0x01, 0x60, 0x00, 0xf3])],
    [1, () => Uint8Array.from([0x61, 0x60, 0x01, 0x60, 0x00, 0xf3])],
    [1, () => Uint8Array.from([0x33, 0xff])],
    [1, () => Uint8Array.from([0x60, 0x00, 0x60, 0x00, 0xfd])],
    [1, () => new Uint8Array(0)],
  ])()
}

// A program of so many statements; one in twelve is noise.
export function program(random, world, statements) {
  if (random.chance(1 / 12)) return random.bytes(random.below(80))
  const nested = (world.nesting ?? 0) + 1
  const writer = new Writer(random, { ...world, nesting: nested })
  if (nested > 3) return Uint8Array.from([op.STOP])
  for (let i = 0; i < statements; i++) writer.statement()
  if (random.chance(0.8)) writer.ending()
  return Uint8Array.from(writer.code)
}
