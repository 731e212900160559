using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Forerun.Core.Numerics;

namespace Forerun.Core.Sampling;

/// <summary>The tokens still in the running for one choice, in ascending token id, each with its distance: how far its
/// logit / temperature lies below the largest, 0 … <see cref="Reach"/>. One caller at a time.</summary>
/// <remarks>Order of preference: smaller distance first, then smaller token id; every filter keeps a prefix of that
/// order. Probabilities are counted in whole units of 2^-30 of the most probable token's, so that sums are exact in any
/// order of addition, and nothing has to be sorted.</remarks>
internal sealed partial class Candidates(int capacity)
{
    /// <summary>Tokens further below the best can neither win, because the noise spans less than this, nor weigh as
    /// much as one unit.</summary>
    public const float Reach = 22f;

    private readonly float[] _distances = new float[capacity + 16];
    private readonly float[] _scores = new float[capacity + 16];
    private readonly int[] _tokens = new int[capacity + 16];
    private readonly int[] _weights = new int[capacity + 16];
    private readonly long[] _buckets = new long[1 << 11];
    private int _count;

    /// <summary>The distances' bits, <c>[count]</c>: ordered as the distances are.</summary>
    private Span<int> DistanceBits => MemoryMarshal.Cast<float, int>(_distances.AsSpan(0, _count));

    /// <summary>Starts over with the tokens in reach.</summary>
    /// <param name="logits">Logits below infinity, <c>[rows]</c>, rows ≤ capacity.</param>
    /// <param name="largest">The largest of them, finite.</param>
    /// <param name="inverseTemperature">1 / temperature.</param>
    /// <param name="vocabulary">Token ids of the rows, ascending; empty when row i is token i.</param>
    public void Collect(
        ReadOnlySpan<float> logits, float largest, float inverseTemperature, ReadOnlySpan<int> vocabulary)
    {
        _count = 0;
        var reach = new Vector<float>(Reach);
        var row = 0;
        for (; row <= logits.Length - Vector<float>.Count; row += Vector<float>.Count)
        {
            var distances = (new Vector<float>(largest) - new Vector<float>(logits[row..])) * inverseTemperature;
            if (Vector.LessThanOrEqualAll(distances, reach))
            {
                var rows = Vector.CreateSequence(row, 1);
                (vocabulary.IsEmpty ? rows : new Vector<int>(vocabulary[row..])).CopyTo(_tokens, _count);
                Vector.Abs(distances).CopyTo(_distances, _count);
                _count += Vector<float>.Count;
            }
            else if (Vector.LessThanOrEqualAny(distances, reach))
            {
                for (var lane = 0; lane < Vector<float>.Count; lane++)
                {
                    Append(distances[lane], row + lane, vocabulary);
                }
            }
        }

        for (; row < logits.Length; row++)
        {
            Append((largest - logits[row]) * inverseTemperature, row, vocabulary);
        }
    }

    /// <summary>Keeps the first <paramref name="k"/>.</summary>
    public void KeepTopK(int k)
    {
        if (k < _count)
        {
            _weights.AsSpan(0, _count).Fill(1);
            KeepUntil(k);
        }
    }

    /// <summary>Keeps the shortest prefix that holds <paramref name="share"/> of the candidates' probability.</summary>
    public void KeepTopP(float share)
    {
        KeepUntil(Math.Max(1L, (long)Math.Ceiling(share * (double)Weigh())));
    }

    /// <summary>Keeps those at most <paramref name="distance"/> below the best.</summary>
    public void KeepWithin(float distance) => Keep(BitConverter.SingleToInt32Bits(distance), int.MaxValue);

    /// <summary>The token of the largest noise - distance; the lowest token id of equals.</summary>
    public int Best(ulong seed, int position) => _tokens[Logits.ArgMax(Score(seed, position))];

    /// <summary>The tokens of the largest noise - distance, largest first, and those scores; returns their number.
    /// </summary>
    public int Rank(ulong seed, int position, Span<int> tokens, Span<float> scores)
    {
        var count = Logits.Largest(Score(seed, position), tokens, scores);
        foreach (ref var token in tokens[..count])
        {
            token = _tokens[token];
        }

        return count;
    }

    private ReadOnlySpan<float> Score(ulong seed, int position)
    {
        var scores = _scores.AsSpan(0, _count);
        SharedNoise.Gumbel(seed, position, _tokens.AsSpan(0, _count), scores);
        for (var i = 0; i < _count; i += Vector<float>.Count)
        {
            (new Vector<float>(_scores, i) - new Vector<float>(_distances, i)).CopyTo(_scores, i);
        }

        return scores;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Append(float distance, int row, ReadOnlySpan<int> vocabulary)
    {
        // The absolute value drops the sign of a zero: distances are then ordered as their bits are.
        _distances[_count] = MathF.Abs(distance);
        _tokens[_count] = vocabulary.IsEmpty ? row : vocabulary[row];
        _count += distance <= Reach ? 1 : 0;
    }

    /// <summary>Keeps the shortest prefix of at least <paramref name="weight"/>, which is in 1 … the total weight.
    /// </summary>
    /// <remarks>Radix selection: finds the bits of the last distance in three steps, upper bits first.</remarks>
    private void KeepUntil(long weight)
    {
        var last = Narrow(0, width: 11, shift: 20, ref weight);
        last = Narrow(last, width: 10, shift: 10, ref weight);
        last = Narrow(last, width: 10, shift: 0, ref weight);

        // The tokens at the last distance weigh the same each; those of the lowest ids come first.
        var each = _weights[DistanceBits.IndexOf(last)];
        Keep(last, (int)((weight + each - 1) / each));
    }

    /// <summary>Of the distances that start with the bits <paramref name="prefix"/>, finds the next
    /// <paramref name="width"/> bits of the one where the weights reach <paramref name="weight"/>, and takes the weight
    /// of the smaller ones off it.</summary>
    private int Narrow(int prefix, int width, int shift, ref long weight)
    {
        _buckets.AsSpan(0, 1 << width).Clear();
        var wanted = new Vector<int>(prefix);
        var bits = DistanceBits;
        for (var i = 0; i < bits.Length; i += Vector<int>.Count)
        {
            if (Vector.EqualsAny(new Vector<float>(_distances, i).As<float, int>() >>> (shift + width), wanted))
            {
                var end = Math.Min(bits.Length, i + Vector<int>.Count);
                for (var j = i; j < end; j++)
                {
                    var matches = bits[j] >>> (shift + width) == prefix;
                    _buckets[(bits[j] >>> shift) & ((1 << width) - 1)] += matches ? _weights[j] : 0;
                }
            }
        }

        var bucket = 0;
        while (_buckets[bucket] < weight)
        {
            weight -= _buckets[bucket++];
        }

        return (prefix << width) | bucket;
    }

    private void Keep(int lastBits, int ties)
    {
        var kept = 0;
        var last = new Vector<int>(lastBits);
        var bits = DistanceBits;
        for (var i = 0; i < bits.Length; i += Vector<int>.Count)
        {
            if (Vector.LessThanOrEqualAny(new Vector<float>(_distances, i).As<float, int>(), last))
            {
                var end = Math.Min(bits.Length, i + Vector<int>.Count);
                for (var j = i; j < end; j++)
                {
                    var bit = bits[j];
                    (bits[kept], _tokens[kept]) = (bit, _tokens[j]);
                    kept += bit < lastBits ? 1 : 0;
                    if (bit == lastBits && ties-- > 0)
                    {
                        kept++;
                    }
                }
            }
        }

        _count = kept;
    }

    /// <summary>Weighs every candidate; returns the sum.</summary>
    private long Weigh()
    {
        if (Vector512.IsHardwareAccelerated)
        {
            Weigh<Lanes512>();
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            Weigh<Lanes256>();
        }
        else
        {
            Weigh<Lanes128>();
        }

        for (var i = 0; i < _count; i += Vector<int>.Count)
        {
            Vector.ConvertToInt32(new Vector<float>(_scores, i)).CopyTo(_weights, i);
        }

        var total = 0L;
        foreach (var weight in _weights.AsSpan(0, _count))
        {
            total += weight;
        }

        return total;
    }

    private void Weigh<TLanes>()
        where TLanes : struct, ILanes<TLanes>
    {
        for (var i = 0; i < _count; i += 16)
        {
            var probability = LaneMath.Exp(TLanes.Create(0f) - TLanes.Load(in _distances[i]));
            TLanes.Store(probability * TLanes.Create(1 << 30), ref _scores[i]);
        }
    }
}
