//! Runs CPU-bound work on a blocking thread, so that the async threads stay responsive.

/// Runs `work` on a blocking thread, so that the caller's thread can fetch the next page and renew
/// the run's lease.
pub(crate) async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Cancelled: the runtime is shutting down, so the result is no longer needed.
            Err(_) => std::future::pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_result_comes_back() {
        let numbers = [1, 2, 3];
        let sum = run_blocking(move || numbers.iter().sum::<i32>()).await;
        assert_eq!(sum, 6);
    }

    #[tokio::test]
    #[should_panic(expected = "on the blocking thread")]
    async fn a_panic_comes_back_too() {
        run_blocking(|| panic!("on the blocking thread")).await;
    }
}
