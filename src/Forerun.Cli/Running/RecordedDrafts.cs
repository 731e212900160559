using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Inference.Drafting;

namespace Forerun.Cli.Running;

/// <summary>Repeats what a drafter proposed before, so that edges can be simulated whose drafting costs this machine
/// nothing. The text is always the same, so its length tells which draft is due; what was not asked before is asked now. One
/// generation and one caller at a time.</summary>
/// <param name="drafter">Drafts the first time; the caller keeps owning it.</param>
internal sealed class RecordedDrafts(IDrafter drafter) : IDrafter
{
    private readonly Dictionary<int, ImmutableArray<int>> _drafts = [];
    private GenerationRequest? _request;

    /// <inheritdoc/>
    public void Begin(GenerationRequest request) => _request = request;

    /// <inheritdoc/>
    public int Propose(ReadOnlySpan<int> history, Span<int> destination)
    {
        if (!_drafts.TryGetValue(history.Length, out var draft) || draft.Length > destination.Length)
        {
            if (_request is not null)
            {
                drafter.Begin(_request);
                _request = null;
            }

            draft = [.. destination[..drafter.Propose(history, destination)]];
            _drafts[history.Length] = draft;
        }

        draft.CopyTo(destination);
        return draft.Length;
    }
}
