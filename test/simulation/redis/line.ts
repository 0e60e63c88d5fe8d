// How commands come to a Redis and replies back: delayed, lost, and over connections that are lost.
import type { RedisReply, RedisTransport } from "../../../src/store/redis/transport.ts";
import type { Draw } from "../draw.ts";
import { requests, type Life, type Request } from "../life.ts";
import { drawFate, showFate, type Asked, type Fate, type NetworkOptions } from "../network.ts";
import type { Command } from "./emulator.ts";
import { observe, showCommand, stepsOf } from "./observe.ts";

export interface Line {
  readonly send: RedisTransport["send"];
  readonly onLost: NonNullable<RedisTransport["onLost"]>;
}

interface Flight {
  readonly command: Command;
  readonly asked: Asked | undefined;
  readonly request: Request | undefined;
  readonly draw: Draw;
  /** What becomes of it the first time; a command that is sent again arrives. */
  readonly fate: Fate;
  isAgain: boolean;
  readonly number: number;
  resolve(reply: RedisReply): void;
  reject(error: Error): void;
}

/** A connection, or for HTTP the one way there is. */
interface Connection {
  readonly flights: Set<Flight>;
  /** Nothing that arrives over it is done; its client will hear of that. */
  isCut: boolean;
  /** What was sent later arrives later. */
  arrivesAt: number;
  answersAt: number;
}

/** What a server may say of a command of the store: anything else is a fault of the script. */
const EXPECTED = /^(NOSCRIPT|OOM) /;

/** How an instance speaks to the server. */
export interface LineOptions {
  readonly own: Draw;
  /** Its commands have nothing to do with each other. Else there is a connection. */
  readonly http: boolean;
  /** For which call of the instance the client sends what it sends now. */
  asked(): Asked | undefined;
}

/** The way of one life. */
export function createLine(options: NetworkOptions, life: Life, { own, http, asked }: LineOptions): Line {
  const { plan, base, server, history } = options;
  const redis = server.redis!; // it is one
  // One connection keeps the order; a pool of them, and HTTP, do not.
  const isOrdered = !http && own.chance(0.5);
  // Some clients send again what the connection had not answered. The log must remember what it was.
  const sendsAgain = !http && own.chance(0.5) && plan.limits.maxLogRecords >= 100;
  const losses = new Set<() => void>();
  const open = (): Connection => ({ flights: new Set(), isCut: false, arrivesAt: 0, answersAt: 0 });
  let connection = open();
  let sent = 0;
  let latest = 0;

  const now = (): number => base.monotonic();
  const later = (draw: Draw): number => draw.int(...plan.network.delay);

  /** The reply comes to the client, unless it has heard before that the connection is lost. */
  const answer = (flight: Flight, over: Connection, settle: () => void): void => {
    const { draw, fate, isAgain } = flight;
    if (fate.answerLost && !isAgain) return;
    const at = now() + (isAgain ? later(draw) : fate.back);
    over.answersAt = isOrdered ? Math.max(at, over.answersAt) : at;
    base.setTimeout(() => {
      life.deliver(flight.request, () => {
        if (over.flights.delete(flight)) settle();
      });
    }, over.answersAt - now());
  };

  /** The client hears that a connection is gone: it tells so first, and then opens another one. */
  const lose = (over: Connection): void => {
    if (connection === over) connection = open();
    for (const lost of losses) lost();
    for (const flight of over.flights) {
      if (!flight.isAgain && (sendsAgain || flight.fate.repeatedAfter !== undefined)) {
        history.struck("command sent again");
        flight.isAgain = true;
        dispatch(flight, later(flight.draw));
      } else life.deliver(flight.request, () => flight.reject(new Error("Connection is closed.")));
    }
    over.flights.clear();
  };

  const cut = (over: Connection): void => {
    if (over.isCut || http) return;
    over.isCut = true;
    history.struck("connection lost");
    base.setTimeout(() => life.deliver(undefined, () => lose(over)), later(own));
  };

  const fail = (flight: Flight, over: Connection): void => {
    if (http) answer(flight, over, () => flight.reject(new Error("ECONNRESET")));
    else cut(over);
  };

  /** The server does it. */
  const execute = (flight: Flight, over: Connection): (() => void) => {
    if (flight.number < latest) history.struck("message overtaken");
    latest = Math.max(latest, flight.number);
    const isFull = !options.healed() && now() < options.fullUntil;
    redis.setFull(isFull);
    const at = history.moment();
    try {
      const reply = redis.send(flight.command);
      if (isFull) history.struck("memory full");
      observe(options, life, flight, reply, at);
      return () => answer(flight, over, () => flight.resolve(reply));
    } catch (error) {
      const { message } = error as Error; // of the server
      if (!EXPECTED.test(message)) history.violate("well-behaved", `the script fails: ${message}`);
      return () => answer(flight, over, () => flight.reject(error as Error));
    }
  };

  const arrive = (flight: Flight, over: Connection): void => {
    const { fate, isAgain, draw } = flight;
    if (over.isCut) return;
    if (!options.healed() && now() < options.downUntil) {
      history.struck("store down");
      return draw.chance(0.5) ? fail(flight, over) : undefined;
    }
    if (!options.healed() && now() < options.stalledUntil) {
      history.struck("store stalled");
      return void base.setTimeout(() => arrive(flight, over), options.stalledUntil - now());
    }
    if (fate.failsBefore && !isAgain) return fail(flight, over);
    const reply = execute(flight, over);
    if (isAgain) return reply();
    if (fate.failsAfter) return fail(flight, over);
    if (fate.repeatedAfter === undefined) return reply();
    // Over HTTP it is the client that tries again, or something on the way; else it is sent again over another connection.
    if (!http) return cut(over);
    const isLost = draw.chance(0.5);
    if (!isLost) reply();
    history.struck("command sent again");
    flight.isAgain = true;
    base.setTimeout(() => {
      const again = execute(flight, over);
      if (isLost) again();
    }, fate.repeatedAfter);
  };

  const dispatch = (flight: Flight, delayMs: number): void => {
    const over = connection;
    over.flights.add(flight);
    const at = now() + delayMs;
    over.arrivesAt = isOrdered ? Math.max(at, over.arrivesAt) : at;
    base.setTimeout(() => arrive(flight, over), over.arrivesAt - now());
  };

  // What was on its way to a process ends with it. What goes over HTTP finds the next one.
  server.onReset(() => cut(connection));
  options.cuts.set(life, [() => cut(connection)]);

  return {
    send(command, signal) {
      const request = requests.getStore();
      const draw = request?.draw ?? own;
      const fate = drawFate(plan.network, draw, options.healed(), history.struck, undefined);
      history.note(life.name, () => `${showCommand(command)} sent${showFate(fate)}`);
      if (stepsOf(command).includes("c")) options.enters("commit", life, request, fate.there + fate.back);
      return new Promise((resolve, reject) => {
        const flight = {
          command,
          asked: asked(),
          request,
          draw,
          fate,
          isAgain: false,
          number: ++sent,
          resolve,
          reject,
        };
        if (http) signal?.addEventListener("abort", () => reject(new Error("The call was aborted")));
        if (fate.lost) connection.flights.add(flight);
        else dispatch(flight, fate.there);
      });
    },
    onLost(lost) {
      losses.add(lost);
      return () => void losses.delete(lost);
    },
  };
}
