using System.Collections.Immutable;
using CsCheck;
using Forerun.Inference.Tokenization;

namespace Forerun.UnitTests.Tokenization;

public class BytePairEncoderTests
{
    private static readonly string[] Merges = ["a b", "b a", "ab a", "a a", "aa b", "ab ab", "ba b", "c a", "ab c"];

    private static readonly ImmutableArray<string> Tokens =
        ["a", "b", "c", .. Merges.Select(merge => merge.Replace(" ", "", StringComparison.Ordinal)).Distinct()];

    private static readonly MergeList Model = new MergeList();

    [Fact]
    public void Merge_AnyPiece_MergesTheLowestRankLeftmostFirst() =>
        Gen.Char["abc"].Array[0, 40].Select(letters => new string(letters)).Sample(piece =>
        {
            var encoder = new BytePairEncoder(Model);
            Model.Encode(piece, encoder);
            Assert.Equal(EncodeSimply(piece), encoder.Tokens.Select(token => Tokens[token]));
        });

    private static List<string> EncodeSimply(string piece)
    {
        var parts = piece.Select(letter => $"{letter}").ToList();
        while (true)
        {
            var pairs = parts.Zip(parts.Skip(1), (left, right) => Array.IndexOf(Merges, $"{left} {right}")).ToList();
            if (!pairs.Exists(rank => rank >= 0))
            {
                return parts;
            }

            var index = pairs.IndexOf(pairs.Where(rank => rank >= 0).Min());
            parts[index] += parts[index + 1];
            parts.RemoveAt(index + 1);
        }
    }

    private sealed class MergeList : IBytePairModel
    {
        public bool AddsSpace => false;

        public Merge? MergeOf(int left, int right)
        {
            var rank = Array.IndexOf(Merges, $"{Tokens[left]} {Tokens[right]}");
            return rank < 0 ? null : new Merge(rank, Tokens.IndexOf(Tokens[left] + Tokens[right]));
        }

        public void Encode(string text, BytePairEncoder encoder) =>
            encoder.Merge([.. text.Select(letter => letter - 'a')]);
    }
}
