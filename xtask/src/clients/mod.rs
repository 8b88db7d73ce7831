//! x
pub(crate) fn command(_: &[String]) -> anyhow::Result<()> {
    Ok(())
}
