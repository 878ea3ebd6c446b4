//! Points of eight claims, from tables of points into lanes.

use super::super::limbs::U256;
use super::super::point::Affine;
use super::field::{Field, Stored};
use super::sums::{Point, Span};
use super::vector::{LANES, Lanes, Row};

/// Points of eight lists as 64-bit words, word by word and lane by lane.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Words {
    x: [Row; 4],
    y: [Row; 4],
}

/// One list of points in each lane.
pub(super) struct Lists {
    words: Vec<Words>,
    lens: [usize; LANES],
}

impl Lists {
    pub(super) fn new() -> Self {
        Self {
            words: Vec::new(),
            lens: [0; LANES],
        }
    }

    /// Appends a point to a lane's list.
    #[inline(always)]
    pub(super) fn push(&mut self, lane: usize, point: &Affine) {
        let index = self.lens[lane];
        self.lens[lane] += 1;
        if index >= self.words.len() {
            let none = [[0; LANES]; 4];
            self.words.resize(index + 1, Words { x: none, y: none });
        }
        let words = &mut self.words[index];
        copy(&mut words.x, lane, &point.x.form());
        copy(&mut words.y, lane, &point.y.form());
    }

    /// Appends the lists to `points` as one span, and empties them. What a shorter list has beyond its end
    /// is some number below p.
    #[inline(always)]
    pub(super) fn take<V: Lanes>(&mut self, points: &mut Vec<Point>) -> Span {
        let span = Span {
            start: points.len(),
            lens: std::mem::take(&mut self.lens),
        };
        for words in &self.words[..span.len()] {
            let mut point = Point::NONE;
            Field::<V>::four_times(&words.x).store(&mut point.x);
            Field::<V>::twice(&words.y).store(&mut point.y);
            points.push(point);
        }
        span
    }
}

#[inline(always)]
fn copy(words: &mut [Row; 4], lane: usize, number: &U256) {
    for (row, word) in words.iter_mut().zip(number) {
        row[lane] = *word;
    }
}

/// For each lane the point of that index; lanes with no index have any.
pub(super) fn pick(points: &[Point], indices: &[usize; LANES]) -> Point {
    let mut out = Point::NONE;
    for (lane, index) in indices.iter().enumerate() {
        let from = &points[*index];
        for limb in 0..5 {
            out.x.0[limb][lane] = from.x.0[limb][lane];
            out.y.0[limb][lane] = from.y.0[limb][lane];
        }
    }
    out
}

impl Point {
    pub(super) const NONE: Self = Self {
        x: Stored::ZERO,
        y: Stored::ZERO,
    };
}
