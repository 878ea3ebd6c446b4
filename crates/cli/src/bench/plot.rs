//! A run as a picture: throughput, latency and memory over time, one below the other.

use super::{samples::Sample, say};
use crate::{
    problem::{Cause, Problem, Result},
    text::problem,
};
use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};
use std::path::Path;

/// Width and height of the picture.
const SIZE: (u32, u32) = (960, 900);
/// Height of its title.
const TITLE_HEIGHT: u32 = 40;
/// Most points of a line: a run of hours is drawn from the worst of each group of seconds.
const POINTS_MAX: usize = 480;
/// A sample that is shorter says nothing about a second.
const SECONDS_MIN: f64 = 0.5;
const FONT: &str = "sans-serif";
const BLUE: RGBColor = RGBColor(0x1f, 0x77, 0xb4);
const ORANGE: RGBColor = RGBColor(0xd9, 0x5f, 0x02);
const GREEN: RGBColor = RGBColor(0x2c, 0x8c, 0x3c);
const GREY: RGBColor = RGBColor(0x66, 0x66, 0x66);
const MIB: f64 = (1u64 << 20) as f64;

/// A line of a panel: its name, its colour, and second and value of each point.
struct Line {
    name: String,
    colour: RGBColor,
    points: Vec<(f64, f64)>,
}

/// Lines with one axis.
struct Panel {
    title: String,
    lines: Vec<Line>,
}

/// Draws the samples of a run into a file, which is replaced if it is there.
pub(super) fn write(path: &Path, samples: &[Sample], nodes: usize) -> Result<()> {
    let cannot = || problem::cannot_write(path.display());
    std::fs::write(path, svg(samples, nodes, cannot)?).or_problem(cannot)
}

fn svg(samples: &[Sample], nodes: usize, cannot: impl Fn() -> Problem) -> Result<String> {
    let mut text = String::new();
    let drawn = draw(
        &SVGBackend::with_string(&mut text, SIZE).into_drawing_area(),
        samples,
        nodes,
    );
    drawn.map_err(|error| cannot().because(error))?;
    Ok(text)
}

fn draw(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    samples: &[Sample],
    nodes: usize,
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    area.fill(&WHITE)?;
    let (title, below) = area.split_vertically(TITLE_HEIGHT);
    let style = (FONT, 22)
        .into_font()
        .color(&BLACK)
        .pos(Pos::new(HPos::Center, VPos::Center));
    let middle = (SIZE.0 as i32 / 2, TITLE_HEIGHT as i32 / 2 + 4);
    title.draw(&Text::new(say::bench_plot_title(nodes), middle, style))?;
    let panels = panels(&thinned(samples));
    let end = samples.last().map_or(1.0, |sample| sample.second).max(1.0);
    for (area, panel) in below.split_evenly((panels.len(), 1)).iter().zip(&panels) {
        draw_panel(area, panel, end)?;
    }
    area.present()?;
    Ok(())
}

fn draw_panel(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    panel: &Panel,
    end: f64,
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let values = panel
        .lines
        .iter()
        .flat_map(|line| line.points.iter().map(|(_, value)| *value));
    // Room above the highest point, for the names of the lines.
    let top = values.fold(0.0, f64::max).max(1.0) * 1.4;
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .caption(&panel.title, (FONT, 16).into_font().color(&BLACK))
        .x_label_area_size(38)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..end, 0.0..top)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .axis_style(GREY)
        .label_style((FONT, 13).into_font().color(&BLACK))
        .x_desc(say::bench_plot_seconds())
        .x_label_formatter(&|second| format!("{second:.0}"))
        .y_label_formatter(&|value| {
            if top < 10.0 {
                format!("{value:.1}")
            } else {
                format!("{value:.0}")
            }
        })
        .y_labels(6)
        .draw()?;
    for line in &panel.lines {
        let colour = line.colour;
        chart
            .draw_series(LineSeries::new(line.points.iter().copied(), colour.stroke_width(2)))?
            .label(&line.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    if panel.lines.len() > 1 {
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE.mix(0.85))
            .label_font((FONT, 13).into_font().color(&BLACK))
            .draw()?;
    }
    Ok(())
}

fn panels(samples: &[Sample]) -> Vec<Panel> {
    let line = |name: String, colour, value: &dyn Fn(&Sample) -> f64| Line {
        name,
        colour,
        points: samples.iter().map(|sample| (sample.second, value(sample))).collect(),
    };
    let sent = |sample: &Sample| sample.sent as f64 / sample.seconds.max(0.001);
    let mut panels = vec![
        Panel {
            title: say::bench_plot_throughput(),
            lines: vec![
                line(say::bench_plot_sent(), ORANGE, &sent),
                line(say::bench_plot_committed(), BLUE, &Sample::tps),
            ],
        },
        Panel {
            title: say::bench_plot_latency(),
            lines: vec![
                line("p99".into(), ORANGE, &|sample| sample.p99_ms),
                line("p50".into(), BLUE, &|sample| sample.p50_ms),
            ],
        },
    ];
    if samples.first().is_some_and(|sample| !sample.memory.is_empty()) {
        let largest = |sample: &Sample| sample.memory.iter().max().copied().unwrap_or_default() as f64 / MIB;
        let mean = |sample: &Sample| sample.memory.iter().sum::<u64>() as f64 / MIB / sample.memory.len().max(1) as f64;
        panels.push(Panel {
            title: say::bench_plot_memory(),
            lines: vec![
                line(say::bench_plot_largest(), ORANGE, &largest),
                line(say::bench_plot_mean(), GREEN, &mean),
            ],
        });
    }
    panels
}

/// At most [`POINTS_MAX`] samples, each of a group of seconds: their mean throughput, their worst latency.
fn thinned(samples: &[Sample]) -> Vec<Sample> {
    let whole: Vec<&Sample> = samples.iter().filter(|sample| sample.seconds >= SECONDS_MIN).collect();
    let group = whole.len().div_ceil(POINTS_MAX).max(1);
    let one = |group: &[&Sample]| {
        let last = group[group.len() - 1];
        Sample {
            seconds: group.iter().map(|sample| sample.seconds).sum(),
            sent: group.iter().map(|sample| sample.sent).sum(),
            committed: group.iter().map(|sample| sample.committed).sum(),
            p50_ms: group.iter().map(|sample| sample.p50_ms).fold(0.0, f64::max),
            p99_ms: group.iter().map(|sample| sample.p99_ms).fold(0.0, f64::max),
            ..last.clone()
        }
    };
    whole.chunks(group).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(second: f64) -> Sample {
        Sample {
            second,
            seconds: 1.0,
            sent: 90,
            committed: 100,
            p50_ms: 7.0,
            p99_ms: second,
            memory: vec![64 << 20, 128 << 20],
            ..Sample::default()
        }
    }

    #[test]
    fn a_picture_has_three_panels_and_their_names() {
        let samples: Vec<Sample> = (1..=20).map(|second| sample(f64::from(second))).collect();
        let text = svg(&samples, 4, || unreachable!()).unwrap();
        assert!(text.starts_with("<svg") && text.trim_end().ends_with("</svg>"));
        for name in ["p99", "p50", "MiB"] {
            assert!(text.contains(name), "{name}");
        }
        assert_eq!(panels(&samples).len(), 3);
        // Without samples there is a picture too, of nothing.
        assert!(svg(&[], 4, || unreachable!()).unwrap().starts_with("<svg"));
    }

    #[test]
    fn hours_are_drawn_from_the_worst_of_some_seconds() {
        let samples: Vec<Sample> = (1..=14_400).map(|second| sample(f64::from(second))).collect();
        let thin = thinned(&samples);
        assert_eq!(thin.len(), POINTS_MAX);
        assert_eq!((thin[0].second, thin[0].p99_ms, thin[0].tps()), (30.0, 30.0, 100.0));
        assert_eq!(
            thinned(&[Sample {
                seconds: 0.3,
                ..sample(1.0)
            }])
            .len(),
            0
        );
    }
}
