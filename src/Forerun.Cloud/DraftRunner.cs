using Forerun.Core.Decoding;
using Forerun.Inference;
using Microsoft.Extensions.Logging;

namespace Forerun.Cloud;

/// <summary>Drafts for sessions in mode <see cref="DecodingMode.Colocated"/>, all together: one draft-model pass per draft
/// position. A long history is caught up with in chunks, one between two target passes. One caller at a time.</summary>
internal sealed class DraftRunner : IDisposable
{
    private readonly LanguageModel _model;
    private readonly SchedulerOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ForwardPass _pass;
    private readonly ForwardBatch _batch = new();
    private readonly List<LocalVerification> _running = [];
    private readonly Predicate<LocalVerification> _hasNoRows;
    private readonly Predicate<LocalVerification> _isOver;

    /// <summary>Drafts with this model; the caller keeps owning it.</summary>
    public DraftRunner(LanguageModel model, SchedulerOptions options, TimeProvider time, ILogger logger)
    {
        (_model, _options, _time, _logger) = (model, options, time, logger);
        _pass = model.CreatePass(options.MaxRows, options.MaxSessions);
        _hasNoRows = HasNoRows;
        _isOver = IsOver;
    }

    /// <summary>A generation's drafting.</summary>
    public DraftSession CreateSession(GenerationRequest request) => new(
        _model,
        request.Sampling,
        request.DraftLength == 0 ? _options.ColocatedDraftLength : request.DraftLength);

    /// <summary>Drafts for sessions whose draft has begun, as far as one chunk of rows goes.</summary>
    /// <returns>The error that the sessions end with; null when it ran.</returns>
    public Exception? Run(List<LocalVerification> sessions)
    {
        var started = _time.GetTimestamp();
        try
        {
            // Short ones first: who has much to catch up with takes the rows that are left, once.
            sessions.Sort(static (a, b) => a.Drafting!.Missing(a.Session).CompareTo(b.Drafting!.Missing(b.Session)));
            _running.AddRange(sessions);
            while (AddRows())
            {
                _pass.Run(_batch);
                _running.RemoveAll(_isOver);
            }

            return null;
        }
        catch (Exception exception)
        {
            CloudLog.PassFailed(_logger, _batch.RowCount, exception);
            return PassRunner.Failure(exception);
        }
        finally
        {
            _running.Clear();
            var elapsed = _time.GetElapsedTime(started);
            foreach (var verification in sessions)
            {
                verification.Session.AddCompute(elapsed);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _pass.Dispose();

    private bool AddRows()
    {
        _batch.Clear();
        _running.RemoveAll(_hasNoRows);
        return _running.Count > 0;
    }

    private bool HasNoRows(LocalVerification verification) => verification.Drafting!.AddRows(
        _batch, verification.Session, _options.MaxRows - _batch.RowCount) == 0;

    private bool IsOver(LocalVerification verification) => !verification.Drafting!.Complete(_pass, verification.Session);
}
