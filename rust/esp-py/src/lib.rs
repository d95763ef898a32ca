//! `isthmus._esp`: glue only. Values are converted here and nowhere else; what they mean is esp-core's and esp-io's.

mod plane;
mod sa;
mod values;

use pyo3::prelude::*;

pyo3::create_exception!(
    isthmus._esp,
    Refused,
    pyo3::exceptions::PyException,
    "What was asked cannot be done."
);
pyo3::create_exception!(
    isthmus._esp,
    Dropped,
    pyo3::exceptions::PyException,
    "A packet was dropped: its code."
);

#[pymodule(gil_used = false)]
fn _esp(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("Refused", module.py().get_type::<Refused>())?;
    module.add("Dropped", module.py().get_type::<Dropped>())?;
    module.add("DROPS", values::drop_table())?;
    module.add_class::<plane::Plane>()?;
    module.add_class::<sa::EspSa>()
}
