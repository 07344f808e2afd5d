/**
 * Where the event loop enters the proxy: listeners and timers. Nothing that they are given may let anything through that it throws, since that would end
 * the process. Callbacks of other functions of Node (PING, SNI, writes of files) are few, and not found here.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const PROXY = join(import.meta.dirname, '..', '..', 'gateway-runtime', 'proxy');

const TIMERS = new Set(['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask']);
const LISTENING = new Set(['on', 'once', 'addListener', 'prependListener', 'prependOnceListener']);
/** Of Node's and the language's own: they throw nothing, and call nobody. And one that is given octets and throws nothing, as its type says. */
const HARMLESS = new Set([
  ...LISTENING,
  'destroy',
  'delete',
  'clearTimeout',
  'get',
  'has',
  'add',
  'onOctets',
]);
/** What wraps a function so that it throws nothing (`guard.ts`). */
const GUARDS = new Set(['guard', '#guard']);

type Callable = ts.ArrowFunction | ts.FunctionExpression | ts.FunctionDeclaration | ts.MethodDeclaration;

const isCallable = (node: ts.Node): node is Callable =>
  ts.isArrowFunction(node) ||
  ts.isFunctionExpression(node) ||
  ts.isFunctionDeclaration(node) ||
  ts.isMethodDeclaration(node);

/** `b` of `a.b`, and of `b`. */
function nameOf(node: ts.Node): string | undefined {
  if (ts.isIdentifier(node) || ts.isPrivateIdentifier(node)) return node.text;
  return ts.isPropertyAccessExpression(node) ? node.name.text : undefined;
}

/** What the event loop is given to call; undefined where the call gives it nothing. */
function given({ expression, arguments: args }: ts.CallExpression): ts.Expression | undefined {
  const name = nameOf(expression) ?? '';
  if (!ts.isPropertyAccessExpression(expression)) return TIMERS.has(name) ? args[0] : undefined;
  if (name === 'nextTick') return args[0];
  // That of a socket is a listener, too.
  if (!LISTENING.has(name)) return name === 'setTimeout' ? args[1] : undefined;
  // That of `listener-server.ts`, which guards what it is given.
  return expression.expression.kind === ts.SyntaxKind.ThisKeyword ? undefined : args[1];
}

function each(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => each(child, visit));
}

class Source {
  readonly #file: ts.SourceFile;
  /** What names and fields of the file stand for. */
  readonly #values = new Map<string, ts.Node>();

  constructor(text: string) {
    this.#file = ts.createSourceFile('a.ts', text, ts.ScriptTarget.Latest, true);
    each(this.#file, (node) => {
      const isAssigned = ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.EqualsToken;
      if (isAssigned) this.#note(nameOf(node.left), node.right);
      else if (ts.isVariableDeclaration(node) || ts.isPropertyDeclaration(node)) {
        if (node.initializer) this.#note(nameOf(node.name), node.initializer);
      } else if (ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node)) {
        if (node.name) this.#note(nameOf(node.name), node);
      }
    });
  }

  #note(name: string | undefined, value: ts.Node): void {
    if (name !== undefined) this.#values.set(name, value);
  }

  /** Texts of calls that give the event loop what may throw. */
  get unguarded(): string[] {
    const found: string[] = [];
    each(this.#file, (node) => {
      const callback = ts.isCallExpression(node) ? given(node) : undefined;
      if (callback && !this.#isGuarded(callback)) found.push(node.getText().replace(/\s+/g, ' '));
    });
    return found;
  }

  #isGuarded(node: ts.Node, depth = 0): boolean {
    if (depth > 4) return false;
    if (isCallable(node)) return this.#throwsNothing(node, depth);
    const name = nameOf(node);
    const value = name === undefined ? undefined : this.#values.get(name);
    if (value) return this.#isGuarded(value, depth + 1);
    // Of a promise.
    if (name === 'resolve') return true;
    if (!ts.isCallExpression(node)) return false;
    const made = ts.isCallExpression(node.expression) ? nameOf(node.expression.expression) : undefined;
    return made === 'guardedBy' || GUARDS.has(nameOf(node.expression) ?? '');
  }

  #throwsNothing({ body }: Callable, depth: number): boolean {
    if (!body) return false;
    const statements: readonly ts.Node[] = ts.isBlock(body) ? body.statements : [body];
    return statements.every((each) => this.#isHarmless(each, depth));
  }

  /** A `try`, one call of what throws nothing, or nothing that could throw. */
  #isHarmless(node: ts.Node, depth: number): boolean {
    if (ts.isTryStatement(node)) return node.catchClause !== undefined;
    const call = ts.isExpressionStatement(node) ? node.expression : node;
    if (ts.isCallExpression(call) && !HARMLESS.has(nameOf(call.expression) ?? '')) {
      return this.#isGuarded(call.expression, depth + 1);
    }
    let isHarmless = true;
    each(node, (within) => {
      if (ts.isThrowStatement(within) || ts.isNewExpression(within)) isHarmless = false;
      if (ts.isCallExpression(within)) isHarmless &&= HARMLESS.has(nameOf(within.expression) ?? '');
    });
    return isHarmless;
  }
}

describe('what the event loop calls in the proxy', () => {
  it('throws nothing', () => {
    const files = readdirSync(PROXY, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => join(entry.parentPath, entry.name));
    const found = files.flatMap((file) =>
      new Source(readFileSync(file, 'utf8')).unguarded.map((call) => `${relative(PROXY, file)}: ${call}`),
    );
    expect(files.length).toBeGreaterThan(100);
    expect(found).toEqual([]);
  });

  it.each([
    'setTimeout(() => this.#look(), 1);',
    'socket.on("close", () => { this.size--; tell(); });',
    'class A { #look() { try { a(); } catch {} b(); } begin() { setImmediate(() => this.#look()); } }',
    'class A { readonly #look = () => { a(); }; begin() { setImmediate(this.#look); } }',
    'class A { constructor(act: () => void) { this.#act = act; } begin() { setImmediate(this.#act); } }',
    'try { socket.once("end", () => a()); } catch {}',
    'process.nextTick(() => { try { a(); } finally { b(); } });',
    'socket.on("error", (error) => { throw error; });',
    'socket.setTimeout(1, () => a());',
  ])('is found where it may throw: %s', (text) => {
    expect(new Source(text).unguarded).toHaveLength(1);
  });

  it.each([
    'setTimeout(() => socket.destroy(), 1);',
    'socket.on("close", guard(() => a()));',
    'class A { #look() { try { a(); } catch {} } begin() { setImmediate(() => this.#look()); } }',
    'class A { readonly #look = this.#guard(() => a()); begin() { setImmediate(this.#look); } }',
    'class A { constructor() { this.#act = guardedBy(b)(() => a()); } begin() { setImmediate(this.#act); } }',
    'socket.on("error", () => {});',
  ])('is not, where it may not: %s', (text) => {
    expect(new Source(text).unguarded).toEqual([]);
  });
});
