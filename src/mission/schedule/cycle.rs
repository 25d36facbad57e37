//! Tasks that wait for each other.

use std::collections::HashMap;

use crate::ids::TaskId;
use crate::mission::plan::Plan;

/// An order in which each task comes after what it depends on, and otherwise as in the plan; `None` where tasks
/// wait for each other.
pub(super) fn order(depends_on: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut open: Vec<usize> = depends_on.iter().map(Vec::len).collect();
    let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); depends_on.len()];
    for (task, needed) in depends_on.iter().enumerate() {
        for &needed in needed {
            waiting.get_mut(needed)?.push(task);
        }
    }
    let mut order: Vec<usize> = (0..open.len())
        .filter(|&task| open.get(task) == Some(&0))
        .collect();
    let mut next = 0;
    while let Some(&task) = order.get(next) {
        next += 1;
        for &later in waiting.get(task)? {
            let open = open.get_mut(later)?;
            *open -= 1;
            if *open == 0 {
                order.push(later);
            }
        }
    }
    (order.len() == depends_on.len()).then_some(order)
}

/// Each task's place in the plan.
pub(super) fn places(plan: &Plan) -> HashMap<&TaskId, usize> {
    let tasks = plan.tasks.iter().enumerate();
    tasks.map(|(index, task)| (&task.slug, index)).collect()
}

/// Tasks that wait for each other in a circle, each followed by one that it depends on, if there are any.
/// Dependencies on tasks that there are not do not count here.
pub fn cycle(plan: &Plan) -> Option<Vec<TaskId>> {
    let places = places(plan);
    let needs = |task: usize| -> Vec<usize> {
        let task = plan.tasks.get(task).into_iter();
        task.flat_map(|task| &task.depends_on)
            .filter_map(|slug| places.get(slug).copied())
            .collect()
    };
    let mut known = vec![false; plan.tasks.len()];
    for start in 0..plan.tasks.len() {
        // the way down to here, each with what of its dependencies is still to be followed
        let mut way: Vec<(usize, Vec<usize>)> = vec![(start, needs(start))];
        while let Some((task, left)) = way.last_mut() {
            let task = *task;
            let Some(next) = left.pop() else {
                if let Some(known) = known.get_mut(task) {
                    *known = true;
                }
                way.pop();
                continue;
            };
            if let Some(begin) = way.iter().position(|(task, _)| *task == next) {
                let circle = way.get(begin..)?.iter();
                return circle
                    .map(|(task, _)| Some(plan.tasks.get(*task)?.slug.clone()))
                    .collect();
            }
            if known.get(next) == Some(&false) {
                way.push((next, needs(next)));
            }
        }
    }
    None
}
