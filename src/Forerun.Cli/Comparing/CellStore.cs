using System.Text.Json;
using Forerun.Cli.Running;

namespace Forerun.Cli.Comparing;

/// <summary>Finished cells, in memory and, where a folder is named, one JSON line each in a file of it, so that a
/// comparison that was stopped goes on where it was.</summary>
internal sealed class CellStore : IDisposable
{
    private readonly Dictionary<CellKey, Cell> _cells = [];
    private readonly FileStream? _file;

    private CellStore(FileStream? file) => _file = file;

    /// <summary>Finished cells.</summary>
    public int Count => _cells.Count;

    /// <summary>Opens or makes a folder.</summary>
    /// <param name="folder">Where cells are kept; null = in memory only.</param>
    /// <param name="settings">What is compared.</param>
    /// <exception cref="InvalidOperationException">The folder belongs to other settings.</exception>
    /// <exception cref="InvalidDataException">A file of it cannot be read.</exception>
    public static CellStore Open(string? folder, CompareSettings settings)
    {
        if (folder is null)
        {
            return new CellStore(null);
        }

        Directory.CreateDirectory(folder);
        Claim(folder, settings);
        var path = Path.Combine(folder, "cells.jsonl");
        var store = new CellStore(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read));
        try
        {
            store.Load(path);
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>The finished cell; null when it is still to be done.</summary>
    public Cell? Find(CellKey key) => _cells.GetValueOrDefault(key);

    /// <summary>Keeps a finished cell.</summary>
    public void Add(Cell cell)
    {
        _cells.Add(cell.Key, cell);
        if (_file is not null)
        {
            _file.Write([.. JsonSerializer.SerializeToUtf8Bytes(cell, ReportJson.Default.Cell), (byte)'\n']);
            _file.Flush(flushToDisk: true);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    private static void Claim(string folder, CompareSettings settings)
    {
        var path = Path.Combine(folder, "settings.json");
        if (!File.Exists(path))
        {
            File.WriteAllText(path, JsonSerializer.Serialize(settings, ReportJson.Default.CompareSettings));
            return;
        }

        var before = Read(path, 1, File.ReadAllText(path), ReportJson.Default.CompareSettings);
        var differences = CompareSettings.Differences(before, settings);
        if (!differences.IsEmpty)
        {
            throw new InvalidOperationException(
                $"The folder \"{folder}\" holds a comparison with other settings: {string.Join("; ", differences)}. Name another folder with --output, or delete this one.");
        }
    }

    /// <summary>Reads the cells. A last line without its end was cut off when the program was stopped: it is removed.</summary>
    private void Load(string path)
    {
        var bytes = new byte[_file!.Length];
        _file.ReadExactly(bytes);
        var whole = bytes.AsSpan().LastIndexOf((byte)'\n') + 1;
        _file.SetLength(whole);
        _file.Seek(0, SeekOrigin.End);
        var lines = System.Text.Encoding.UTF8.GetString(bytes, 0, whole).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i < lines.Length; i++)
        {
            var cell = Read(path, i + 1, lines[i], ReportJson.Default.Cell);
            _cells[cell.Key] = cell;
        }
    }

    private static T Read<T>(
        string path, int line, string text, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(text, type) ?? throw new JsonException("It is null.");
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException(
                $"\"{path}\" line {line} cannot be read: {exception.Message} Delete the folder, or name another one with --output.",
                exception);
        }
    }
}
