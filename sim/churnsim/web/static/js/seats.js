// Every dot keeps its own seat. Whoever arrives takes the innermost free one; a few are tidied inwards each tick.
// Seats of a tick follow from those of the tick before, so that scrubbing back shows the very same picture.

const TIDIED = 12;
export const PROVIDER = 15;

export class Seating {
  constructor(dots, clusters) {
    this.occupants = Array.from({ length: clusters }, () => []);
    this.seat = new Uint16Array(dots);
    this.cluster = new Int16Array(dots).fill(-1);
  }

  take(dot, cluster) {
    const places = this.occupants[cluster];
    let seat = places.indexOf(-1);
    if (seat < 0) seat = places.length;
    places[seat] = dot;
    this.seat[dot] = seat;
    this.cluster[dot] = cluster;
  }

  leave(dot) {
    const places = this.occupants[this.cluster[dot]];
    places[this.seat[dot]] = -1;
    while (places.length && places[places.length - 1] === -1) places.pop();
  }

  // Seat everybody as the states of a tick say; return the seats of this tick.
  follow(states) {
    const arriving = [];
    for (let dot = 0; dot < states.length; dot += 1) {
      const cluster = states[dot] & PROVIDER;
      if (cluster === this.cluster[dot]) continue;
      if (this.cluster[dot] >= 0) this.leave(dot);
      arriving.push(dot);
    }
    for (const dot of arriving) this.take(dot, states[dot] & PROVIDER);
    for (const places of this.occupants) this.tidy(places);
    return this.seat.slice();
  }

  tidy(places) {
    for (let moved = 0; moved < TIDIED; moved += 1) {
      const hole = places.indexOf(-1);
      if (hole < 0) return;
      const dot = places.pop();
      while (places.length && places[places.length - 1] === -1) places.pop();
      if (hole >= places.length) {
        places.push(dot);
        this.seat[dot] = places.length - 1;
      } else {
        places[hole] = dot;
        this.seat[dot] = hole;
      }
    }
  }
}
