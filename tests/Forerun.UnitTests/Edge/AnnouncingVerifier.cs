using Forerun.Core.Decoding;

namespace Forerun.UnitTests.Edge;

/// <summary>Wraps a verifier and puts announcements among its events, as a server with broken exits might.</summary>
internal sealed class AnnouncingVerifier(IVerifier inner, int seed, Func<Random, Verdict, Announcement?> announce)
    : IVerifier
{
    public ValueTask<TargetDescription> DescribeAsync(CancellationToken cancellationToken = default) =>
        inner.DescribeAsync(cancellationToken);

    public async ValueTask<IVerification> OpenAsync(
        GenerationRequest request, CancellationToken cancellationToken = default) =>
        new Verification(await inner.OpenAsync(request, cancellationToken), new Random(seed), announce);

    private sealed class Verification(
        IVerification inner, Random random, Func<Random, Verdict, Announcement?> announce) : IVerification
    {
        private readonly Queue<VerificationEvent> _waiting = new();

        public WireBytes Bytes => inner.Bytes;

        public ValueTask SendAsync(Draft draft, CancellationToken cancellationToken = default) =>
            inner.SendAsync(draft, cancellationToken);

        public ValueTask StreamAsync(int throughRound, CancellationToken cancellationToken = default) =>
            inner.StreamAsync(throughRound, cancellationToken);

        public async ValueTask<VerificationEvent> ReadAsync(CancellationToken cancellationToken = default)
        {
            if (_waiting.TryDequeue(out var waiting))
            {
                return waiting;
            }

            var next = await inner.ReadAsync(cancellationToken);
            if (next is not Verdict verdict)
            {
                return next;
            }

            for (var i = random.Next(4); i > 0; i--)
            {
                if (announce(random, verdict) is { } announcement)
                {
                    _waiting.Enqueue(announcement);
                }
            }

            _waiting.Enqueue(verdict);
            if (!verdict.IsLast && announce(random, verdict) is { } late)
            {
                _waiting.Enqueue(late);
            }

            return _waiting.Dequeue();
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
