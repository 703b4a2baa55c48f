/** @file Messages that are made in one turn cross the channel together: each crossing costs a system call and a serializer. */

/** Collects messages, and sends them when all that is ready to run now has run; order is kept. */
export class Outbox<Message> {
  readonly #send: (messages: readonly Message[]) => void;
  #waiting: Message[] = [];

  constructor(send: (messages: readonly Message[]) => void) {
    this.#send = send;
  }

  add(message: Message): void {
    // Ticks run after all promises that are settled: what they add goes along.
    if (this.#waiting.push(message) === 1) process.nextTick(() => this.#flush());
  }

  #flush(): void {
    const messages = this.#waiting;
    this.#waiting = [];
    this.#send(messages);
  }
}
