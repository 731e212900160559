using Forerun.Core.Decoding;

namespace Forerun.UnitTests.Edge;

/// <summary>A verifier that answers as it is told.</summary>
internal sealed class ScriptedVerifier(params VerificationEvent[] events) : IVerifier, IVerification
{
    private readonly Queue<VerificationEvent> _events = new(events);

    public List<Draft> Sent { get; } = [];

    public bool IsDisposed { get; private set; }

    public List<int> Streamed { get; } = [];

    public WireBytes Bytes => new(Sent.Count, events.Length - _events.Count);

    public ValueTask<TargetDescription> DescribeAsync(CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public ValueTask<IVerification> OpenAsync(
        GenerationRequest request, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<IVerification>(this);

    public ValueTask SendAsync(Draft draft, CancellationToken cancellationToken = default)
    {
        Sent.Add(draft);
        return ValueTask.CompletedTask;
    }

    public ValueTask StreamAsync(int throughRound, CancellationToken cancellationToken = default)
    {
        Streamed.Add(throughRound);
        return ValueTask.CompletedTask;
    }

    public ValueTask<VerificationEvent> ReadAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(_events.Dequeue());
    }

    public ValueTask DisposeAsync()
    {
        IsDisposed = true;
        return ValueTask.CompletedTask;
    }
}
