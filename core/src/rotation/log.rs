//! Events that the driver has not fetched yet.

use super::event::Event;

const ROOM: usize = 16;

/// A queue of sixteen; when it is full the oldest event makes room. One input event yields fewer.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Log {
    events: [Option<Event>; ROOM],
}

impl Log {
    pub(super) const EMPTY: Self = Self { events: [None; ROOM] };

    pub(super) fn push(&mut self, event: Event) {
        match self.events.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(event),
            None => {
                self.pop();
                if let Some(last) = self.events.last_mut() {
                    *last = Some(event);
                }
            }
        }
    }

    pub(super) fn pop(&mut self) -> Option<Event> {
        self.events.rotate_left(1);
        self.events.last_mut().and_then(Option::take)
    }
}
