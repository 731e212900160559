using Forerun.Core.Decoding;
using Forerun.Protocol;

namespace Forerun.Cloud;

/// <summary>What the edge drafted beside a stream. It knows less of the text than the server does, so its offers may be overtaken
/// by the text: as long as they agree, what is left of them is a draft. Not thread-safe.</summary>
internal sealed class Offers
{
    private readonly List<Offer> _offers = [];

    /// <summary>Takes one in: in the place of one that it goes on from, else as the last. Of too many the oldest is dropped.</summary>
    /// <param name="draft">The draft; its base position lies within the text.</param>
    /// <param name="draftLength">Most tokens of one round.</param>
    public void Add(Draft draft, int draftLength)
    {
        var offer = new Offer(draft, draftLength);
        var beginning = _offers.FindIndex(offer.GoesOnFrom);
        if (beginning >= 0)
        {
            offer.IsTaken = _offers[beginning].IsTaken;
            _offers[beginning] = offer;
            return;
        }

        if (_offers.Count == ProtocolConstants.MaxQueuedDrafts)
        {
            _offers.RemoveAt(0);
        }

        _offers.Add(offer);
    }

    /// <summary>The draft to follow a text: what is left of the first offer that agrees with it, as an edge offers what is likelier
    /// first. Offers that do not agree, or of which nothing is left, are dropped.</summary>
    /// <param name="round">The draft's round.</param>
    /// <param name="text">All committed tokens.</param>
    /// <param name="isNew">Nothing of this offer was taken before.</param>
    /// <returns>The draft; null when no offer fits.</returns>
    public Draft? Take(int round, ReadOnlySpan<int> text, out bool isNew)
    {
        for (var i = _offers.Count - 1; i >= 0; i--)
        {
            if (!_offers[i].Follows(text))
            {
                _offers.RemoveAt(i);
            }
        }

        isNew = _offers.Count > 0 && !_offers[0].IsTaken;
        return _offers.Count > 0 ? _offers[0].Take(round, text.Length) : null;
    }

    private sealed record Offer(Draft Draft, int DraftLength)
    {
        public bool IsTaken { get; set; }

        /// <summary>Whether this one says all that the other one says, from a text that has grown or not.</summary>
        public bool GoesOnFrom(Offer other)
        {
            var known = Draft.BasePosition - other.Draft.BasePosition;
            return known >= 0 && known <= other.Draft.Tokens.Length
                && Draft.Tokens.AsSpan().StartsWith(other.Draft.Tokens.AsSpan()[known..]);
        }

        public bool Follows(ReadOnlySpan<int> text)
        {
            var behind = text[Draft.BasePosition..];
            return behind.Length < Draft.Tokens.Length && Draft.Tokens.AsSpan().StartsWith(behind);
        }

        public Draft Take(int round, int position)
        {
            IsTaken = true;
            var from = position - Draft.BasePosition;
            var to = Math.Min(Draft.Tokens.Length, from + DraftLength);
            return new Draft(round, position, Draft.Tokens[from..to]);
        }
    }
}
